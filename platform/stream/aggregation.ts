import { hash } from "node:crypto";

/**
 * The Kinesis Producer Library's aggregated record: many user records in one Kinesis record. Magic number, a protobuf
 * message, the message's MD5. Lambda, Firehose and the KCL understand it. The bytes equal those of npm `aws-kinesis-agg`,
 * against which this is tested; written out here because it copies each byte once and depends on nothing.
 *
 *     message AggregatedRecord { repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2;
 *                                repeated Record records = 3; }
 *     message Record { required uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2;
 *                      required bytes data = 3; repeated Tag tags = 4; }
 */
const MAGIC = Buffer.from([0xf3, 0x89, 0x9a, 0xc2]);
const DIGEST_BYTES = 16;
/** Tags of fields: number and wire type. */
const PARTITION_KEY = 0x0a;
const HASH_KEY = 0x12;
const RECORD = 0x1a;
const RECORD_DATA = 0x1a;
/** Both indexes are 0: all records of ours share the lane's keys. */
const INDEXES = Buffer.from([0x08, 0x00, 0x10, 0x00]);

/** What a record adds to an aggregated one beside its data, at most. */
export const AGGREGATION_OVERHEAD = 16;

/** All records under the same keys: those of a lane. Keys are ASCII. */
export function encodeAggregated(
  partitionKey: string,
  explicitHashKey: string,
  records: readonly Uint8Array[],
): Buffer {
  let size = MAGIC.length + DIGEST_BYTES + 2 + sized(partitionKey.length) + 2 + sized(explicitHashKey.length);
  for (const record of records) size += 1 + sized(innerSize(record));
  const out = Buffer.allocUnsafe(size);
  let at = MAGIC.copy(out);
  at = writeText(out, at, PARTITION_KEY, partitionKey);
  at = writeText(out, at, HASH_KEY, explicitHashKey);
  for (const record of records) at = writeRecord(out, at, record);
  at += md5(out.subarray(MAGIC.length, at)).copy(out, at);
  return out.subarray(0, at);
}

/** The data of each user record, as views; what is not an aggregated record is its own only user record. */
export function decodeAggregated(data: Uint8Array): Buffer[] {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const end = buffer.length - DIGEST_BYTES;
  if (end < MAGIC.length || !buffer.subarray(0, MAGIC.length).equals(MAGIC)) return [buffer];
  const message = buffer.subarray(MAGIC.length, end);
  if (!md5(message).equals(buffer.subarray(end))) return [buffer];
  const records: Buffer[] = [];
  const wellFormed = eachField(message, (tag, value) => {
    if (tag === RECORD) records.push(dataOf(value));
  });
  return wellFormed ? records : [buffer];
}

function dataOf(record: Buffer): Buffer {
  let data: Buffer = Buffer.alloc(0);
  eachField(record, (tag, value) => {
    if (tag === RECORD_DATA) data = value;
  });
  return data;
}

/** Hands over each length-delimited field, skips the others; false where the bytes are no protobuf message. */
function eachField(message: Buffer, take: (tag: number, value: Buffer) => void): boolean {
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    const size = tag && skipSize(message, tag.next, tag.value & 7);
    if (!tag || !size || size.end > message.length) return false;
    if ((tag.value & 7) === 2) take(tag.value, message.subarray(size.start, size.end));
    at = size.end;
  }
  return true;
}

/** Where the value of a field of this wire type begins and ends. */
function skipSize(message: Buffer, at: number, wireType: number): { start: number; end: number } | null {
  if (wireType === 1) return { start: at, end: at + 8 };
  if (wireType === 5) return { start: at, end: at + 4 };
  const number = wireType === 0 || wireType === 2 ? readVarint(message, at) : null;
  if (!number) return null;
  return { start: number.next, end: number.next + (wireType === 2 ? number.value : 0) };
}

function readVarint(from: Buffer, at: number): { value: number; next: number } | null {
  let value = 0;
  for (let shift = 0; shift < 64; shift += 7) {
    const byte = from[at++];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: at };
  }
  return null;
}

function writeRecord(out: Buffer, at: number, data: Uint8Array): number {
  out[at++] = RECORD;
  at = writeVarint(out, at, innerSize(data));
  at += INDEXES.copy(out, at);
  out[at++] = RECORD_DATA;
  at = writeVarint(out, at, data.byteLength);
  out.set(data, at);
  return at + data.byteLength;
}

function writeText(out: Buffer, at: number, tag: number, text: string): number {
  out[at++] = tag;
  at = writeVarint(out, at, text.length);
  return at + out.write(text, at, "latin1");
}

function writeVarint(out: Buffer, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}

function innerSize(data: Uint8Array): number {
  return INDEXES.length + 1 + sized(data.byteLength);
}

/** A length and as many bytes. */
function sized(length: number): number {
  return length + (length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4);
}

function md5(data: Uint8Array): Buffer {
  return hash("md5", data, "buffer");
}
