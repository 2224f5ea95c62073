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
/** Of the two indexes of a record into the tables of keys. */
const PARTITION_KEY_INDEX = 0x08;
const HASH_KEY_INDEX = 0x10;
const INDEXES_BYTES = 4;
/** So that an index takes one byte. */
const MAX_KEYS = 0x80;

/** What a record adds to an aggregated one beside its data, at most. */
export const AGGREGATION_OVERHEAD = 16;

/** Records under the same keys, which are ASCII: those of a lane. */
export interface Portion {
  partitionKey: string;
  hashKey: string;
  records: readonly Uint8Array[];
}

export interface UserRecord {
  /** The explicit hash key; null where the record has none of its own. */
  hashKey: string | null;
  /** A view. */
  data: Buffer;
}

export function encodeAggregated(portions: readonly Portion[]): Buffer {
  return aggregate(encodeMessage(portions));
}

/** Makes an aggregated record of a message. */
export function aggregate(message: Buffer): Buffer {
  return Buffer.concat([MAGIC, message, md5(message)]);
}

/** One portion after the other; at most 128. */
export function encodeMessage(portions: readonly Portion[]): Buffer {
  if (portions.length > MAX_KEYS) throw new Error(`${portions.length} keys in one record`);
  let size = 0;
  for (const { partitionKey, hashKey, records } of portions) {
    size += 1 + sized(partitionKey.length) + 1 + sized(hashKey.length);
    for (const record of records) size += 1 + sized(innerSize(record));
  }
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { partitionKey } of portions) at = writeText(out, at, PARTITION_KEY, partitionKey);
  for (const { hashKey } of portions) at = writeText(out, at, HASH_KEY, hashKey);
  for (const [key, { records }] of portions.entries()) {
    for (const record of records) at = writeRecord(out, at, key, record);
  }
  return out;
}

/** The user records, in order; what is not an aggregated record is its own only user record. */
export function decodeAggregated(data: Uint8Array): UserRecord[] {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const asItIs = [{ hashKey: null, data: buffer }];
  const end = buffer.length - DIGEST_BYTES;
  if (end < MAGIC.length || !buffer.subarray(0, MAGIC.length).equals(MAGIC)) return asItIs;
  const message = buffer.subarray(MAGIC.length, end);
  if (!md5(message).equals(buffer.subarray(end))) return asItIs;
  return decodeMessage(message) ?? asItIs;
}

/** Null where the bytes are no such message. */
export function decodeMessage(message: Buffer): UserRecord[] | null {
  const hashKeys: string[] = [];
  const records: { key: number | null; data: Buffer }[] = [];
  const wellFormed = eachField(message, (tag, value) => {
    if (tag === HASH_KEY) hashKeys.push((value as Buffer).toString("latin1"));
    if (tag === RECORD) records.push(readRecord(value as Buffer));
  });
  if (!wellFormed) return null;
  return records.map(({ key, data }) => ({ hashKey: (key === null ? null : hashKeys[key]) ?? null, data }));
}

function readRecord(record: Buffer): { key: number | null; data: Buffer } {
  const found: { key: number | null; data: Buffer } = { key: null, data: Buffer.alloc(0) };
  eachField(record, (tag, value) => {
    if (tag === RECORD_DATA) found.data = value as Buffer;
    if (tag === HASH_KEY_INDEX) found.key = value as number;
  });
  return found;
}

/** Hands over each number and each length-delimited field; false where the bytes are no protobuf message. */
function eachField(message: Buffer, take: (tag: number, value: Buffer | number) => void): boolean {
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    const wireType = tag ? tag.value & 7 : 0;
    const size = tag && skipSize(message, tag.next, wireType);
    if (!tag || !size || size.end > message.length) return false;
    if (wireType === 2) take(tag.value, message.subarray(size.start, size.end));
    if (wireType === 0) take(tag.value, size.number);
    at = size.end;
  }
  return true;
}

/** Where the value of a field of this wire type begins and ends, and the number that it is or begins with. */
function skipSize(
  message: Buffer,
  at: number,
  wireType: number,
): { start: number; end: number; number: number } | null {
  if (wireType === 1) return { start: at, end: at + 8, number: 0 };
  if (wireType === 5) return { start: at, end: at + 4, number: 0 };
  const number = wireType === 0 || wireType === 2 ? readVarint(message, at) : null;
  if (!number) return null;
  return { start: number.next, end: number.next + (wireType === 2 ? number.value : 0), number: number.value };
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

function writeRecord(out: Buffer, at: number, key: number, data: Uint8Array): number {
  out[at++] = RECORD;
  at = writeVarint(out, at, innerSize(data));
  out[at++] = PARTITION_KEY_INDEX;
  out[at++] = key;
  out[at++] = HASH_KEY_INDEX;
  out[at++] = key;
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
  return INDEXES_BYTES + 1 + sized(data.byteLength);
}

/** A length and as many bytes. */
function sized(length: number): number {
  return length + (length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4);
}

function md5(data: Uint8Array): Buffer {
  return hash("md5", data, "buffer");
}
