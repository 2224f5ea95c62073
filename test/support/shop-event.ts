import { randomUUID } from "node:crypto";

import type { Event } from "../../core/event.ts";

/** An event as a shop sends it, a valid one unless the overrides say otherwise. */
export function makeEvent(overrides: Record<string, unknown> = {}): Event {
  return {
    event_id: randomUUID(),
    timestamp: new Date().toISOString(),
    client_id: "demo",
    user_id: null,
    anon_id: "device|abcxyz",
    session_id: "sess|9876",
    event_type: "product_view",
    props: { product_id: "SKU-001", price: 129, currency: "INR" },
    context: { ip: "203.0.113.9", ua: "Mozilla/5.0", locale: "hi-IN" },
    ...overrides,
  } as Event;
}
