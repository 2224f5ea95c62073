import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

import { decodeAggregated, encodeAggregated } from "./aggregation.ts";

/**
 * A lane's records as one Kinesis record: aggregated, and from a few kilobytes on compressed, which costs the edge less
 * than hashing and encoding the bytes that it saves, and the stream a fifth of its shards. Compressed, it is an aggregated
 * record with a single user record: a Zstandard frame, within which lies the aggregated record of the records themselves.
 */
const WORTH_COMPRESSING_BYTES = 6 * 1024;
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** First bytes of a frame. What callers append begins with a brace. */
const FRAME = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Far more than a record of ours unpacks to: what claims to be larger is not ours. */
const MAX_UNPACKED = { maxOutputLength: 64 * 1024 * 1024 };

export function packRecords(partitionKey: string, explicitHashKey: string, records: readonly Uint8Array[]): Buffer {
  const plain = encodeAggregated(partitionKey, explicitHashKey, records);
  if (plain.length < WORTH_COMPRESSING_BYTES) return plain;
  const packed = encodeAggregated(partitionKey, explicitHashKey, [zstdCompressSync(plain, FAST)]);
  return packed.length < plain.length ? packed : plain;
}

/** The records of a Kinesis record, in order. What is not in our format comes back as it is, for its reader to judge. */
export function unpackRecords(data: Uint8Array): Buffer[] {
  const records = decodeAggregated(data);
  const [frame] = records;
  if (records.length !== 1 || !frame?.subarray(0, FRAME.length).equals(FRAME)) return records;
  try {
    return decodeAggregated(zstdDecompressSync(frame, MAX_UNPACKED));
  } catch {
    return records;
  }
}
