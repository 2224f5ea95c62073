import { idOf, type SeenPlace, wordsOf } from "./id-table.ts";

export interface SeenEntry {
  id: string;
  place: SeenPlace;
}

/** An item of DynamoDB holds 400 KB. */
const MAX_BYTES = 300_000;
const MAX_SEQUENCES = 65_535;
const ENTRY_BYTES = 22;

/**
 * Entries as bytes, cut into parts that each fit into an item:
 * count of sequences (u16), each as length (u8) and digits, then for each entry id (16), number of its sequence (u16), index (u32).
 */
export function encodeSeen(entries: readonly SeenEntry[]): { entries: readonly SeenEntry[]; data: Buffer }[] {
  const parts: { entries: readonly SeenEntry[]; data: Buffer }[] = [];
  let from = 0;
  while (from < entries.length) {
    const sequences = new Map<string, number>();
    let bytes = 2;
    let to = from;
    for (; to < entries.length && bytes < MAX_BYTES && sequences.size < MAX_SEQUENCES; to++) {
      const sequence = entries[to]?.place.sequence ?? "";
      if (!sequences.has(sequence)) {
        sequences.set(sequence, sequences.size);
        bytes += 1 + sequence.length;
      }
      bytes += ENTRY_BYTES;
    }
    const part = entries.slice(from, to);
    parts.push({ entries: part, data: encodePart(part, sequences, bytes) });
    from = to;
  }
  return parts;
}

function encodePart(entries: readonly SeenEntry[], sequences: ReadonlyMap<string, number>, bytes: number): Buffer {
  const data = Buffer.alloc(bytes);
  let at = data.writeUInt16BE(sequences.size, 0);
  for (const sequence of sequences.keys()) {
    at = data.writeUInt8(sequence.length, at);
    at += data.write(sequence, at, "latin1");
  }
  for (const { id, place } of entries) {
    for (const word of wordsOf(id)) at = data.writeUInt32BE(word, at);
    at = data.writeUInt16BE(sequences.get(place.sequence) ?? 0, at);
    at = data.writeUInt32BE(place.index, at);
  }
  return data;
}

export function decodeSeen(bytes: Uint8Array): SeenEntry[] {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sequences: string[] = [];
  let at = 2;
  for (let count = data.readUInt16BE(0); count > 0; count--) {
    const length = data.readUInt8(at);
    sequences.push(data.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const entries: SeenEntry[] = [];
  for (; at < data.length; at += ENTRY_BYTES) {
    const id = idOf([
      data.readUInt32BE(at),
      data.readUInt32BE(at + 4),
      data.readUInt32BE(at + 8),
      data.readUInt32BE(at + 12),
    ]);
    const sequence = sequences[data.readUInt16BE(at + 16)] ?? "";
    entries.push({ id, place: { sequence, index: data.readUInt32BE(at + 18) } });
  }
  return entries;
}
