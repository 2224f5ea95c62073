/**
 * What an edge notes of each envelope that it has acknowledged, so that an audit can name its events also after the process was
 * killed. Bytes, 16 for each event. A record:
 *
 *     acknowledged at (f64, epoch ms) · ms since receipt (u32) · client (u32) · envelope (u32) · events (u32) · their UUIDs
 *
 * A record without events gives a client its number: in place of the envelope the length of its name, which follows. What a death
 * has cut off at the end is no record.
 */
export interface JournalEntry {
  acknowledgedAtMs: number;
  /** By the edge's clock, as in the envelope. */
  receivedAtMs: number;
  clientId: string;
  envelope: number;
  /** In the order of the envelope; lower case. */
  eventIds: string[];
}

const HEAD_BYTES = 24;
const ID_BYTES = 16;
const MAX_U32 = 0xffff_ffff;

export function bytesOfEntry(events: number): number {
  return HEAD_BYTES + events * ID_BYTES;
}

/** A client's name for the records that follow. */
export function encodeClient(client: number, name: string): Buffer {
  const bytes = Buffer.from(name);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(client, 12);
  head.writeUInt32LE(bytes.length, 16);
  return Buffer.concat([head, bytes]);
}

/** Into a buffer that has room for `bytesOfEntry`; answers where it ends. Ids must be UUIDs. */
export function writeEntry(target: Buffer, at: number, client: number, entry: Omit<JournalEntry, "clientId">): number {
  const { acknowledgedAtMs, receivedAtMs, envelope, eventIds } = entry;
  target.writeDoubleLE(acknowledgedAtMs, at);
  target.writeUInt32LE(Math.min(MAX_U32, Math.max(0, acknowledgedAtMs - receivedAtMs)), at + 8);
  target.writeUInt32LE(client, at + 12);
  target.writeUInt32LE(envelope, at + 16);
  target.writeUInt32LE(eventIds.length, at + 20);
  let end = at + HEAD_BYTES;
  for (const id of eventIds) end = writeUuid(target, end, id);
  return end;
}

/** By character code. */
const NIBBLES = new Uint8Array(128);
for (const [digits, first] of [
  ["0123456789", 0],
  ["abcdef", 10],
  ["ABCDEF", 10],
] as const) {
  for (let i = 0; i < digits.length; i++) NIBBLES[digits.charCodeAt(i)] = first + i;
}
const DASH = 45;

function writeUuid(target: Buffer, at: number, id: string): number {
  const end = at + ID_BYTES;
  for (let i = 0; at < end; i += 2) {
    if (id.charCodeAt(i) === DASH) i++;
    const [high = 0, low = 0] = [NIBBLES[id.charCodeAt(i) & 127], NIBBLES[id.charCodeAt(i + 1) & 127]];
    target[at++] = (high << 4) | low;
  }
  return end;
}

/** Reads a journal piece by piece: `read` takes the next bytes and answers the entries that are whole. Throws where it is none. */
export function createJournalReader(): { read(piece: Buffer): JournalEntry[] } {
  const clients = new Map<number, string>();
  let left: Buffer = Buffer.alloc(0);
  return {
    read(piece) {
      const data = left.length === 0 ? piece : Buffer.concat([left, piece]);
      const entries: JournalEntry[] = [];
      let at = 0;
      for (;;) {
        if (at + HEAD_BYTES > data.length) break;
        const events = data.readUInt32LE(at + 20);
        const end = at + HEAD_BYTES + (events === 0 ? data.readUInt32LE(at + 16) : events * ID_BYTES);
        if (end > data.length) break;
        const client = data.readUInt32LE(at + 12);
        if (events === 0) clients.set(client, data.toString("utf8", at + HEAD_BYTES, end));
        else entries.push(entryAt(data, at, clients.get(client), events));
        at = end;
      }
      left = data.subarray(at);
      return entries;
    },
  };
}

function entryAt(data: Buffer, at: number, clientId: string | undefined, events: number): JournalEntry {
  if (clientId === undefined) throw new Error("an edge's journal that names a client it has not introduced");
  const acknowledgedAtMs = data.readDoubleLE(at);
  const ids = data.toString("hex", at + HEAD_BYTES, at + HEAD_BYTES + events * ID_BYTES);
  return {
    acknowledgedAtMs,
    receivedAtMs: acknowledgedAtMs - data.readUInt32LE(at + 8),
    clientId,
    envelope: data.readUInt32LE(at + 16),
    eventIds: Array.from({ length: events }, (_, i) => uuidAt(ids, i * ID_BYTES * 2)),
  };
}

function uuidAt(hex: string, at: number): string {
  const part = (from: number, to: number) => hex.slice(at + from, at + to);
  return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`;
}
