import { randomUUID } from "node:crypto";

import { encodeEnvelope } from "../../core/envelope.ts";
import { type Event, partitionKeyOf } from "../../core/event.ts";
import { laneOf } from "../../core/position.ts";
import { makeBenchEvent } from "./requests.ts";

const EVENTS_PER_SESSION = 12;
const LOG_IN_AT = 6;
const TYPES = ["page_view", "product_view", "product_view", "add_to_cart", "page_view", "product_view"];

export interface ShopRequest {
  lane: number;
  data: Buffer;
  events: number;
}

/**
 * What a shop with so many visitors at a time sends: visits of twelve events, mingled, one in four of which logs in
 * half-way, fills a cart and buys. Deterministic but for the ids.
 */
export function* makeShop(clientId: string, visitors: number, events: number): Generator<ShopRequest> {
  const visits = Array.from({ length: visitors }, (_, n) => ({ number: n, step: n % EVENTS_PER_SESSION }));
  let nextVisit = visitors;
  for (let made = 0; made < events; made++) {
    const at = (made * 7919) % visitors;
    const visit = visits[at] ?? { number: 0, step: 0 };
    yield request(clientId, makeEvent(clientId, visit));
    visit.step++;
    if (visit.step === EVENTS_PER_SESSION) visits[at] = { number: nextVisit++, step: 0 };
  }
}

function makeEvent(clientId: string, { number, step }: { number: number; step: number }): Event {
  const event = makeBenchEvent(clientId, number);
  const logsIn = number % 4 === 0 && step >= LOG_IN_AT;
  const isPurchase = logsIn && step === EVENTS_PER_SESSION - 1;
  return {
    ...event,
    event_id: randomUUID(),
    anon_id: `device|${number}`,
    user_id: logsIn ? `user|${number}` : null,
    event_type: isPurchase ? "purchase" : (TYPES[step % TYPES.length] ?? "page_view"),
    context: { ...event.context, ip: `81.${number % 250}.${(number >> 8) % 250}.7` },
  };
}

function request(clientId: string, event: Event): ShopRequest {
  const header = {
    client_id: clientId,
    received_at: new Date().toISOString(),
    request_id: event.event_id,
    ip: "81.2.3.4",
  };
  return {
    lane: laneOf(partitionKeyOf(event)),
    data: encodeEnvelope(header, [Buffer.from(JSON.stringify(event))]),
    events: 1,
  };
}
