import { decodeEnvelope, type EnvelopeHeader } from "../../../core/envelope.ts";
import { parseTimestamp } from "../../../core/timestamp.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";

/** That an event lies in the stream "events", under this place. What cannot be read of it is null. */
export interface Receipt {
  /** Empty where it is no envelope. */
  clientId: string;
  eventId: string | null;
  /** By the edge's clock, epoch milliseconds; the stream's where the envelope does not say. */
  receivedAtMs: number;
  /** By the stream's clock. */
  arrivedAtMs: number;
  /** When it happened, by the sender's clock. */
  sentAtMs: number | null;
  sequence: string;
  index: number;
  /** Which edge process took it, in which of its envelopes, and at which place there. */
  edge: string | null;
  envelope: number | null;
  ordinal: number;
}

/**
 * A receipt for each place. Reads envelopes with code of its own as far as it can: what the enrichment overlooks must not be
 * overlooked here.
 */
export function readReceipts(entries: readonly StreamEntry[]): Receipt[] {
  return entries.flatMap((entry) => {
    try {
      const { header, events } = decodeEnvelope(entry.data);
      return events.map((raw, ordinal) => receiptOf(entry, header, raw, ordinal));
    } catch {
      return [unreadable(entry)];
    }
  });
}

function receiptOf(entry: StreamEntry, header: EnvelopeHeader, raw: Buffer, ordinal: number): Receipt {
  const receivedAtMs = Date.parse(header.received_at);
  const knownMs = Number.isNaN(receivedAtMs) ? entry.arrivedAtMs : receivedAtMs;
  const { eventId, sentAtMs } = readEvent(raw);
  return {
    clientId: typeof header.client_id === "string" ? header.client_id : "",
    eventId,
    receivedAtMs: knownMs,
    arrivedAtMs: entry.arrivedAtMs,
    sentAtMs: Number.isNaN(sentAtMs) ? null : sentAtMs,
    sequence: entry.sequence,
    index: entry.index + ordinal,
    edge: header.edge ?? null,
    envelope: header.envelope ?? null,
    ordinal,
  };
}

function readEvent(raw: Buffer): { eventId: string | null; sentAtMs: number } {
  try {
    const event = JSON.parse(raw.toString("utf8")) as { event_id?: unknown; timestamp?: unknown } | null;
    return {
      eventId: typeof event?.event_id === "string" ? event.event_id : null,
      sentAtMs: typeof event?.timestamp === "string" ? parseTimestamp(event.timestamp) : Number.NaN,
    };
  } catch {
    return { eventId: null, sentAtMs: Number.NaN };
  }
}

function unreadable({ sequence, index, arrivedAtMs }: StreamEntry): Receipt {
  const nothing = { clientId: "", eventId: null, sentAtMs: null, edge: null, envelope: null, ordinal: 0 };
  return { ...nothing, receivedAtMs: arrivedAtMs, arrivedAtMs, sequence, index };
}
