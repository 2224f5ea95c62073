import { decodeEnvelope, type EnvelopeHeader } from "../../../core/envelope.ts";
import { partitionKeyOf } from "../../../core/event.ts";
import { isEvent } from "../../../core/event-check.ts";
import { laneOf, type Position } from "../../../core/position.ts";
import { parseTimestamp } from "../../../core/timestamp.ts";
import type { DeadLetter } from "../../../platform/dead-letters.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";
import type { Draft } from "./step.ts";

const DECODE_STAGE = "decode";

/** The number of events in an envelope; throws where it is none. */
export function countEvents(data: Buffer): number {
  const header = JSON.parse(data.toString("utf8", 0, data.indexOf("\n"))) as EnvelopeHeader;
  return header.lengths.length;
}

/** Envelopes taken apart into events. What is no envelope, or no event, cannot go any further. */
export function decodeEntries(
  shard: string,
  entries: readonly StreamEntry[],
): { drafts: Draft[]; unreadable: DeadLetter[] } {
  const drafts: Draft[] = [];
  const unreadable: DeadLetter[] = [];
  for (const entry of entries) {
    const source = { shard, sequence: entry.sequence, index: entry.index };
    try {
      const { header, events } = decodeEnvelope(entry.data);
      for (const [at, raw] of events.entries()) {
        const place = { ...source, index: entry.index + at };
        const draft = decodeEvent(header, raw, place);
        if (typeof draft === "string") unreadable.push(letterOf(header, raw, place, draft));
        else drafts.push(draft);
      }
    } catch (error) {
      unreadable.push(letterOf(null, entry.data, source, `not an envelope: ${messageOf(error)}`));
    }
  }
  return { drafts, unreadable };
}

/** A draft, or the reason why there is none. */
function decodeEvent(header: EnvelopeHeader, raw: Buffer, source: Position): Draft | string {
  let event: unknown;
  try {
    event = JSON.parse(raw.toString("utf8"));
  } catch {
    return "not JSON";
  }
  if (!isEvent(event)) return "not an event";
  const receivedAtMs = Date.parse(header.received_at);
  if (Number.isNaN(receivedAtMs)) return "received at no known time";
  const sentAtMs = parseTimestamp(event.timestamp);
  return {
    clientId: header.client_id,
    receivedAt: header.received_at,
    receivedAtMs,
    requestId: header.request_id,
    ip: header.ip ?? null,
    event,
    raw,
    source,
    ...(header.replay && { replay: header.replay }),
    ...(header.backfill_id && { backfillId: header.backfill_id }),
    lane: laneOf(partitionKeyOf(event)),
    sentAtMs,
    seenUnderMs: header.seen_under === undefined ? sentAtMs : parseTimestamp(header.seen_under),
    at: header.received_at,
    found: {
      person: { key: "", user_id: null, anon_id: null, keys: [] },
      session: null,
      geo: null,
      ua: null,
      is_bot: false,
      utm: null,
    },
  };
}

function letterOf(header: EnvelopeHeader | null, payload: Buffer, source: Position, reason: string): DeadLetter {
  const letter = { eventId: null, stage: DECODE_STAGE, reason, payload, source, attempts: 1 };
  if (header === null) return { ...letter, clientId: null };
  const { client_id: clientId, received_at, request_id, ip, backfill_id, replay } = header;
  const provenance = { received_at, request_id, ...(ip && { ip }), ...(backfill_id && { backfill_id }) };
  return { ...letter, clientId, provenance, ...(replay && { replay }) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
