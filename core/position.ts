/**
 * Where an event lies in a stream: shard, the sequence number of the Kinesis record, and the event's place
 * among all events of that record (a record carries many). This triple is the offset that `202` answers with.
 */
export interface Position {
  shard: string;
  sequence: string;
  index: number;
}

/** Number of lanes: fixed for the life of a stream, because a session must never change its lane. */
export const LANES = 16;

/**
 * The lane of a session. Everything with the same partition key shares a lane, a lane lies wholly in one shard,
 * and within a lane order is kept from the edge to the journey. FNV-1a, 32 bit.
 */
export function laneOf(partitionKey: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < partitionKey.length; i++) {
    hash ^= partitionKey.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return ((hash ^ (hash >>> 16)) >>> 0) % LANES;
}

/** The middle of a lane's part of Kinesis' 128-bit hash-key space, so that a split never cuts a lane in two halves. */
export function hashKeyOfLane(lane: number): string {
  const width = (1n << 128n) / BigInt(LANES);
  return (width * BigInt(lane) + width / 2n).toString();
}

/** Where a lane's part of the hash-key space begins: the only place where a shard may be split. */
export function firstHashKeyOfLane(lane: number): string {
  return (((1n << 128n) / BigInt(LANES)) * BigInt(lane)).toString();
}

/** The lane that a hash key of `hashKeyOfLane` stands for. */
export function laneOfHashKey(hashKey: string): number {
  return Number(BigInt(hashKey) / ((1n << 128n) / BigInt(LANES)));
}

/**
 * Order of two places within a lane: negative when `a` comes first. Sequence numbers are decimal and grow along a
 * lane, also across a split or merge, so the longer one is the later one.
 */
export function comparePlaces(
  a: Pick<Position, "sequence" | "index">,
  b: Pick<Position, "sequence" | "index">,
): number {
  if (a.sequence.length !== b.sequence.length) return a.sequence.length - b.sequence.length;
  if (a.sequence !== b.sequence) return a.sequence < b.sequence ? -1 : 1;
  return a.index - b.index;
}
