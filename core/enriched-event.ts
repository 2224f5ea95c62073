import type { ReplayMark } from "./dead-letter.ts";
import type { Event } from "./event.ts";
import type { Position } from "./position.ts";

/**
 * What the enricher adds to an event. It travels through the stream "enriched" as one line of JSON, followed by the
 * event's bytes as received, so that nothing is serialised twice and the original is never lost.
 */
export interface Enrichment {
  client_id: string;
  event_id: string;
  event_type: string;
  /** Normalised: UTC, milliseconds, never after `received_at`. */
  timestamp: string;
  received_at: string;
  request_id: string;
  /** Where the event lies in the stream "events": its identity for everyone downstream. */
  source: Position;
  lane: number;
  person: Person;
  session_id: string | null;
  session: SessionSummary | null;
  geo: { country: string | null; city: string | null } | null;
  ua: {
    browser: string | null;
    os: string | null;
    device: "desktop" | "mobile" | "tablet" | "tv" | "bot" | null;
  } | null;
  is_bot: boolean;
  utm: Utm | null;
  /** Of a dead letter's event that is put back: for the consumer of this name alone, all others have had it. */
  replay?: ReplayMark & { stage: string };
  /** Of history that is loaded from a file: it starts no journey, and nobody waits for it. */
  backfill_id?: string;
}

/** Who an event belongs to, as far as was known when it was enriched. */
export interface Person {
  /** `user:<user_id>` once known, else `anon:<anon_id>`, else `session:<session_id>`. */
  key: string;
  user_id: string | null;
  anon_id: string | null;
  /** Every key under which this person has been seen, `key` first; bounded by the merge limit. */
  keys: string[];
}

export interface SessionSummary {
  started_at: string;
  landing_page: string | null;
  source: string | null;
}

export interface Utm {
  source: string | null;
  medium: string | null;
  campaign: string | null;
  term: string | null;
  content: string | null;
}

/** An enriched event in memory: the enrichment, the event as parsed, and its bytes. */
export interface EnrichedEvent extends Enrichment {
  event: Event;
  raw: Buffer;
}

const NEWLINE = 0x0a;

export function encodeEnriched(enrichment: Enrichment, raw: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(enrichment)}\n`), raw]);
}

/**
 * The line before an event, and the event's bytes, which may be anything. Null where the line is not whole: then nobody can
 * tell whose event it is, or where it lay.
 */
export function readEnrichment(data: Buffer): { enrichment: Enrichment; raw: Buffer } | null {
  const end = data.indexOf(NEWLINE);
  try {
    const enrichment = JSON.parse(data.toString("utf8", 0, Math.max(end, 0))) as Enrichment | null;
    return isWhole(enrichment) ? { enrichment, raw: data.subarray(end + 1) } : null;
  } catch {
    return null;
  }
}

function isWhole(enrichment: Partial<Enrichment> | null): enrichment is Enrichment {
  const { client_id, event_id, event_type, timestamp, source, lane } = enrichment ?? {};
  const texts = [client_id, event_id, event_type, timestamp, source?.shard, source?.sequence];
  return texts.every((text) => typeof text === "string") && [lane, source?.index].every(Number.isInteger);
}

export function decodeEnriched(data: Buffer): EnrichedEvent {
  const end = data.indexOf(NEWLINE);
  if (end < 0) throw new Error("enriched event without a header line");
  const raw = data.subarray(end + 1);
  const enrichment = JSON.parse(data.toString("utf8", 0, end)) as Enrichment;
  return { ...enrichment, event: JSON.parse(raw.toString("utf8")) as Event, raw };
}
