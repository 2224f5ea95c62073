import { type Cart, cartIdOf, changeCart, isCartEvent } from "../../../core/cart.ts";
import { ownKeys } from "../../../core/stitch.ts";
import type { ItemKey } from "../../../platform/user-store.ts";
import { cartSort, personItem } from "./keys.ts";
import { type Draft, OK, type Step } from "./step.ts";

/**
 * The cart's snapshot. What is added lies under the first key that the event names; what is taken out, or bought, may lie
 * under each of them, from before the log-in.
 */
export function createCartStep(): Step {
  return {
    name: "cart",
    needs: [placesOf],
    run(draft, { items }) {
      const origin = { lane: draft.lane, place: draft.source };
      for (const key of placesOf(draft)) {
        items.change<Cart>(key, origin, (before) => ({ data: changeCart(before, draft.event, draft.at) }));
      }
      return OK;
    },
  };
}

function placesOf({ clientId, event }: Draft): ItemKey[] {
  if (!isCartEvent(event.event_type)) return [];
  const keys = ownKeys(event);
  const owners = event.event_type === "add_to_cart" ? keys.slice(0, 1) : keys;
  return owners.map((owner) => personItem(clientId, owner, cartSort(cartIdOf(event))));
}
