import { createHash } from "node:crypto";

import { encodeEnriched, type Enrichment } from "../../core/enriched-event.ts";
import { laneOf } from "../../core/position.ts";
import { uuidOf } from "../../core/uuid.ts";
import type { StreamEntry } from "../../platform/stream/types.ts";

export interface EnrichedOptions {
  clientId: string;
  /** Counts the events: everything about an event follows from it. */
  number: number;
  timestampMs: number;
  /** Where the event came from; places are unique within it. */
  sourceShard?: string;
  /** Replaces parts of the enrichment or of the event. */
  enrichment?: Partial<Enrichment>;
  event?: Record<string, unknown>;
}

const TYPES = ["page_view", "product_view", "add_to_cart", "purchase"];
const SEQUENCE_DIGITS = 56;
const EVENTS_PER_RECORD = 10;

/** Decimal, as long as Kinesis' own. */
export function sequenceOf(number: number): string {
  return `4${String(number).padStart(SEQUENCE_DIGITS - 1, "0")}`;
}

/** What a shop would send, as the enricher passes it on: about 600 bytes of event. */
export function makeEnriched(options: EnrichedOptions): Buffer {
  const { clientId, number } = options;
  const at = new Date(options.timestampMs).toISOString();
  const person = `user-${number % 500}`;
  const session = `sess|${number % 700}`;
  const event = {
    event_id: uuidOf("event", clientId, String(number)),
    timestamp: at,
    client_id: clientId,
    user_id: number % 3 === 0 ? person : null,
    anon_id: `device|${number % 500}`,
    session_id: session,
    event_type: TYPES[number % TYPES.length] ?? "page_view",
    props: { product_id: `SKU-${number % 97}`, price: 1999 + (number % 10), currency: "INR", name: "Linen shirt" },
    context: { ip: "203.0.113.7", ua: "Mozilla/5.0 (Linux; Android 14) Chrome/131.0", note: noteOf(number) },
    ...options.event,
  };
  const enrichment: Enrichment = {
    client_id: clientId,
    event_id: event.event_id,
    event_type: event.event_type,
    timestamp: at,
    received_at: at,
    request_id: uuidOf("request", String(number >> 2)),
    source: {
      shard: options.sourceShard ?? "shardId-000000000000",
      sequence: sequenceOf(Math.floor(number / EVENTS_PER_RECORD)),
      index: number % EVENTS_PER_RECORD,
    },
    lane: laneOf(session),
    person: {
      key: `anon:${event.anon_id}`,
      user_id: event.user_id,
      anon_id: event.anon_id,
      keys: [`anon:${event.anon_id}`],
    },
    session_id: session,
    session: { started_at: at, landing_page: "/", source: "direct" },
    geo: { country: "IN", city: "Pune" },
    ua: { browser: "Chrome", os: "Android", device: "mobile" },
    is_bot: false,
    utm:
      number % 2 === 0
        ? { source: "newsletter", medium: "email", campaign: "diwali", term: null, content: null }
        : null,
    ...options.enrichment,
  };
  return encodeEnriched(enrichment, Buffer.from(JSON.stringify(event)));
}

/** As a consumer of "enriched" gets it. `number` counts places in that stream. */
export function toEntry(data: Buffer, number: number): StreamEntry {
  const sequence = sequenceOf(Math.floor(number / EVENTS_PER_RECORD));
  return { sequence, index: number % EVENTS_PER_RECORD, data, arrivedAtMs: 0 };
}

/** Text that does not compress to nothing. */
function noteOf(number: number): string {
  return createHash("sha256").update(String(number)).digest("base64");
}
