import type { Event } from "../core/event.ts";
import { eventOutbox } from "./postgres/schema.ts";
import type { Transaction } from "./postgres/tenant.ts";

/**
 * Part of a change's own transaction: the events are owed to the stream from the moment the change is there, and never
 * otherwise. Each `event_id` must follow from the change. `relayEvents` puts them there, in this order.
 */
export async function oweEvents(tx: Transaction, request_id: string, events: readonly Event[]): Promise<void> {
  if (events.length === 0) return;
  await tx.insert(eventOutbox).values(events.map((event) => ({ client_id: event.client_id, event, request_id })));
}
