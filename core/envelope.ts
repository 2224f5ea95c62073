import type { ReplayMark } from "./dead-letter.ts";

/**
 * What lies in the stream "events": the bytes of a request's events, as they were received, behind one line of JSON that
 * says how they came. One envelope holds the events of one request that share a lane.
 *
 *     {"client_id":"demo","received_at":"2026-11-21T10:00:00.000Z","request_id":"…","ip":"…","lengths":[612,598]}\n
 *     <612 bytes><598 bytes>
 */
export interface EnvelopeHeader {
  client_id: string;
  /** When the edge took it, ISO 8601 UTC. */
  received_at: string;
  /** Correlates the request with everything that follows from it. */
  request_id: string;
  /** The caller's address, used where `context.ip` is missing. */
  ip?: string;
  /** The edge process that took it, and which of its envelopes this is: what the audit counts by. */
  edge?: string;
  envelope?: number;
  /** ISO 8601. Where a repetition may have another timestamp than the first: its id is remembered under this time instead. */
  seen_under?: string;
  /** Of a dead letter's event that is put back. */
  replay?: ReplayMark;
  /** Of history that is loaded from a file: nobody is to be written to because of it. */
  backfill_id?: string;
  /** The length of each event, in bytes. */
  lengths: number[];
}

export interface Envelope {
  header: EnvelopeHeader;
  /** One view for each event; none is copied. */
  events: Buffer[];
}

const NEWLINE = 0x0a;

type SharedHeader = Omit<EnvelopeHeader, "lengths" | "envelope">;

export function encodeEnvelope(header: Omit<EnvelopeHeader, "lengths">, events: readonly Uint8Array[]): Buffer {
  return createEnvelopeEncoder(header)(events);
}

/** For a request whose events go into several envelopes: what they share is written out once. Each may have its number. */
export function createEnvelopeEncoder(
  header: SharedHeader,
): (events: readonly Uint8Array[], envelope?: number) => Buffer {
  const begin = Buffer.from(`${JSON.stringify(header).slice(0, -1)},"lengths":[`);
  return function encode(events, envelope) {
    let lengths = "";
    let size = 0;
    for (const event of events) {
      lengths += lengths === "" ? event.byteLength : `,${event.byteLength}`;
      size += event.byteLength;
    }
    const end = envelope === undefined ? `${lengths}]}\n` : `${lengths}],"envelope":${envelope}}\n`;
    const data = Buffer.allocUnsafe(begin.length + end.length + size);
    begin.copy(data);
    let at = begin.length + data.write(end, begin.length, "latin1");
    for (const event of events) {
      data.set(event, at);
      at += event.byteLength;
    }
    return data;
  };
}

/** Throws a plain Error where the bytes are not an envelope. */
export function decodeEnvelope(data: Buffer): Envelope {
  const end = data.indexOf(NEWLINE);
  if (end < 0) throw new Error("envelope without a header line");
  const header = JSON.parse(data.toString("utf8", 0, end)) as EnvelopeHeader;
  const events: Buffer[] = [];
  let offset = end + 1;
  for (const length of header.lengths) {
    events.push(data.subarray(offset, offset + length));
    offset += length;
  }
  if (offset !== data.length) throw new Error(`envelope of ${data.length} bytes whose lengths add up to ${offset}`);
  return { header, events };
}
