import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

import {
  aggregate,
  decodeAggregated,
  decodeMessage,
  encodeMessage,
  type Portion,
  type UserRecord,
} from "./aggregation.ts";

/**
 * Lanes' records as one Kinesis record: aggregated, and from a few kilobytes on compressed, which costs the edge less
 * than hashing and encoding the bytes that it saves, and the stream a fifth of its shards. Compressed, it is an aggregated
 * record with a single user record: a Zstandard frame, within which lies the message of the records themselves.
 */
const WORTH_COMPRESSING_BYTES = 6 * 1024;
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** First bytes of a frame. What callers append begins with a brace. */
const FRAME = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Far more than a record of ours unpacks to: what claims to be larger is not ours. */
const MAX_UNPACKED = { maxOutputLength: 64 * 1024 * 1024 };

export function packRecords(portions: readonly [Portion, ...Portion[]]): Buffer {
  const message = encodeMessage(portions);
  if (message.length < WORTH_COMPRESSING_BYTES) return aggregate(message);
  const packed = encodeMessage([{ ...portions[0], records: [zstdCompressSync(message, FAST)] }]);
  return aggregate(packed.length < message.length ? packed : message);
}

/** The records of a Kinesis record, in order. What is not in our format comes back as it is, for its reader to judge. */
export function unpackRecords(data: Uint8Array): UserRecord[] {
  const records = decodeAggregated(data);
  const [frame] = records;
  if (records.length !== 1 || !frame?.data.subarray(0, FRAME.length).equals(FRAME)) return records;
  try {
    return decodeMessage(zstdDecompressSync(frame.data, MAX_UNPACKED)) ?? records;
  } catch {
    return records;
  }
}
