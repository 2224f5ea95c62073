import { setTimeout as sleep } from "node:timers/promises";

import type { Ledger, OfferedEvent } from "./oracle.ts";
import type { ShopperRecord } from "./oracle-messages.ts";
import { type Edge, offerOnce, offerUntilAnswered } from "./oracle-post.ts";
import type { Random } from "./oracle-random.ts";

/** What a person does with their cart. */
export const BEHAVIOURS = ["browses", "abandons", "buys", "buys_elsewhere", "logs_in_late", "returns"] as const;
/** `races` buys at a chosen moment; it has no part in the mix. */
export type Behaviour = (typeof BEHAVIOURS)[number] | "races";

export interface ShopOptions {
  edge: Edge;
  client_id: string;
  ledger: Ledger;
  random: Random;
  /** Pauses between two steps of a person lie between these. */
  pauseMs: readonly [min: number, max: number];
  /** Gives up on unanswered events. */
  signal: AbortSignal;
  /** The first pause before what was not answered is offered again; the next ones are longer. */
  retryAfterMs?: number;
  /** Resolves once a message has arrived there; false when it gives up. */
  waitForMessage(channel: string, to: string): Promise<boolean>;
  /** For those who race: how long after their cart's timestamp they buy. */
  buyAfterMs?: () => number;
}

/** A person, with what the oracle will hold against the outbox. */
export interface Shopper {
  behaviour: Behaviour;
  record: ShopperRecord;
}

interface Device {
  anon_id: string;
  session_id: string;
}

/** People who come one after the other, each on their own: resolves when the last has left. */
export async function runShop(options: ShopOptions, behaviours: readonly Behaviour[]): Promise<Shopper[]> {
  const people = behaviours.map((behaviour) => createVisit({ ...options, random: options.random.fork() }, behaviour));
  return Promise.all(
    people.map(async (visit) => {
      await visit.pause();
      await visit.act();
      return visit.shopper;
    }),
  );
}

/** A mix in which everybody occurs, in an order of chance. */
export function chooseBehaviours(random: Random, count: number): Behaviour[] {
  return Array.from({ length: count }, (_, i) => BEHAVIOURS[i % BEHAVIOURS.length] ?? "browses")
    .map((behaviour) => ({ behaviour, place: random.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ behaviour }) => behaviour);
}

interface Visit {
  shopper: Shopper;
  pause(): Promise<void>;
  act(): Promise<void>;
}

function createVisit(options: ShopOptions, behaviour: Behaviour): Visit {
  const { random } = options;
  const name = random.uuid().slice(0, 13);
  const user_id = `user|${name}`;
  const phone = `+9198${String(random.between(0, 99_999_999)).padStart(8, "0")}`;
  const email = `${name}@example.com`;
  const record: ShopperRecord = {
    user_id,
    addresses: { whatsapp: phone, email },
    cartAt: null,
    identifiedAt: null,
    purchase: null,
  };
  const here = createDevice(random);
  const cart = {
    cart_id: `cart-${name}`,
    product_id: `SKU-${random.between(1, 50)}`,
    price: random.between(100, 9_900) / 100,
    currency: "INR",
  };

  const pause = () => sleep(random.between(...options.pauseMs));
  const event = (event_type: string, device: Device, user: string | null, props: object) =>
    createEvent(options, { event_type, ...device, user_id: user, props });
  const send = (events: readonly OfferedEvent[]) => offerUntilAnswered(options.edge, options.ledger, events, options);

  async function look(user: string | null): Promise<void> {
    const views = Array.from({ length: random.between(1, 4) }, () =>
      event("product_view", here, user, {
        product_id: `SKU-${random.between(1, 50)}`,
        page: `/p/${random.between(1, 50)}`,
      }),
    );
    await send([event("page_view", here, user, { page: "/?utm_source=Newsletter" }), ...views]);
    // A sender that lost its own memory sends once more what was long acknowledged.
    if (random.chance(0.2)) await offerOnce(options.edge, options.ledger, views);
  }
  async function identify(): Promise<void> {
    const verdict = await send([event("identify", here, user_id, { email, phone, name: `Person ${name}` })]);
    if (verdict === "ok") record.identifiedAt = Date.now();
  }
  async function fillCart(user: string | null): Promise<void> {
    const added = event("add_to_cart", here, user, cart);
    const more = random.chance(0.3) ? [event("add_to_cart", here, user, { ...cart, product_id: "SKU-99" })] : [];
    await send([added, ...more]);
    record.cartAt = Date.parse((JSON.parse(added.text) as { timestamp: string }).timestamp);
  }
  async function buy(device: Device, seen: string[] = []): Promise<void> {
    const bought = event("purchase", device, user_id, {
      order_id: `order-${name}`,
      cart_id: cart.cart_id,
      total: cart.price,
    });
    record.purchase = { offeredAt: Date.now(), acknowledgedAt: null, seen };
    const verdict = await send([bought]);
    if (verdict === "ok") record.purchase = { ...record.purchase, acknowledgedAt: Date.now() };
  }

  const acts: Record<Behaviour, () => Promise<void>> = {
    browses: async () => {},
    abandons: () => fillCart(user_id),
    async buys() {
      await fillCart(user_id);
      await pause();
      await buy(here);
    },
    async buys_elsewhere() {
      await fillCart(user_id);
      await pause();
      await buy(createDevice(random));
    },
    async logs_in_late() {
      await fillCart(null);
      await pause();
      await identify();
      if (random.chance(0.5)) return;
      await pause();
      await buy(createDevice(random));
    },
    async races() {
      await fillCart(user_id);
      const buyAt = (record.cartAt ?? 0) + (options.buyAfterMs?.() ?? 0);
      await sleep(Math.max(0, buyAt - Date.now()));
      await buy(createDevice(random));
    },
    async returns() {
      await fillCart(user_id);
      if (await options.waitForMessage("whatsapp", phone)) await buy(here, ["whatsapp"]);
    },
  };

  return {
    shopper: { behaviour, record },
    pause,
    async act() {
      const isKnown = behaviour !== "logs_in_late";
      await look(isKnown ? user_id : null);
      await pause();
      if (isKnown) await identify();
      await acts[behaviour]();
    },
  };
}

function createDevice(random: Random): Device {
  return { anon_id: `device|${random.uuid().slice(0, 13)}`, session_id: `sess|${random.uuid().slice(0, 13)}` };
}

interface EventFields extends Device {
  event_type: string;
  user_id: string | null;
  props: object;
}

function createEvent(
  options: ShopOptions,
  { event_type, user_id, anon_id, session_id, props }: EventFields,
): OfferedEvent {
  const event_id = options.random.uuid();
  const event = {
    event_id,
    timestamp: new Date().toISOString(),
    client_id: options.client_id,
    ...(user_id !== null && { user_id }),
    anon_id,
    session_id,
    event_type,
    props,
    context: {
      ip: "81.2.69.142",
      ua: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      locale: "hi-IN",
    },
  };
  return { event_id, session_id, event_type, text: JSON.stringify(event) };
}
