import { type Cart, cartIdOf, changeCart, isCartEvent } from "../../../core/cart.ts";
import type { ItemKey } from "../../../platform/user-store.ts";
import { cartSort, personItem } from "./keys.ts";
import { type Draft, OK, type Step } from "./step.ts";

/**
 * The cart's snapshot, under the person as known then. A purchase empties the cart of that id under every key of the
 * person, so that what was put in before the log-in, or on another device, is gone as well.
 */
export function createCartStep(): Step {
  return {
    name: "cart",
    needs: [(draft) => ownersOf(draft).map((owner) => cartKey(draft, owner))],
    run(draft, unit) {
      const { event, found, at } = draft;
      const origin = { lane: draft.lane, place: draft.source };
      for (const owner of ownersOf(draft)) {
        const key = cartKey(draft, owner);
        const isToChange = owner === found.person.key || unit.items.get<Cart>(key) !== undefined;
        if (!isToChange) continue;
        unit.items.change<Cart>(key, origin, (before) => ({ data: changeCart(before, event, at) }));
      }
      return OK;
    },
  };
}

function ownersOf({ event, found }: Draft): string[] {
  if (!isCartEvent(event.event_type)) return [];
  return event.event_type === "purchase" ? found.person.keys : [found.person.key];
}

function cartKey(draft: Draft, owner: string): ItemKey {
  return personItem(draft.clientId, owner, cartSort(cartIdOf(draft.event)));
}
