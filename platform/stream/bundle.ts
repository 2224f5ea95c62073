import { AGGREGATION_OVERHEAD, type Portion } from "./aggregation.ts";
import { packRecords } from "./packing.ts";
import type { Lane, Waiting } from "./producer-lane.ts";

/**
 * One Kinesis record: what waited for lanes of the same shard. It is sent unchanged until the stream has taken it, and
 * only then may its lanes send anything else.
 */
export interface Bundle {
  portions: [BundlePortion, ...BundlePortion[]];
  /** Where all its lanes lie, as far as is known; null for a single lane, which is right wherever it comes to lie. */
  shard: string | null;
  data: Buffer;
  partitionKey: string;
  hashKey: string;
  /** Bytes of the callers in it. */
  bytes: number;
  attempt: number;
}

interface BundlePortion {
  lane: Lane;
  items: Waiting[];
}

/** Takes what waits for these lanes, up to `maxBytes`; null where nothing does. */
export function takeBundle(lanes: readonly Lane[], shard: string | null, maxBytes: number): Bundle | null {
  const portions: BundlePortion[] = [];
  let room = maxBytes;
  let bytes = 0;
  for (const lane of lanes) {
    const items = lane.take(room, portions.length === 0);
    if (items.length === 0) continue;
    portions.push({ lane, items });
    for (const { data } of items) {
      bytes += data.byteLength;
      room -= data.byteLength + AGGREGATION_OVERHEAD;
    }
  }
  const [first, ...others] = portions;
  if (!first) return null;
  const { partitionKey, hashKey } = first.lane;
  const data = packRecords([toPortion(first), ...others.map(toPortion)]);
  const knownShard = others.length === 0 ? null : shard;
  return { portions: [first, ...others], shard: knownShard, data, partitionKey, hashKey, bytes, attempt: 0 };
}

function toPortion({ lane, items }: BundlePortion): Portion {
  return { partitionKey: lane.partitionKey, hashKey: lane.hashKey, records: items.map((item) => item.data) };
}

/** Whether the stream has taken it into another shard than was expected: the shards have changed meanwhile. */
export function hasMoved(bundle: Bundle, place: { shard: string }): boolean {
  return bundle.shard !== null && bundle.shard !== place.shard;
}

/**
 * The stream has taken the record. Where it lies in another shard than was expected, a lane lies right if it is one of that
 * shard's (`lanesThere`, as far as is known), and the first, by whose key the record was sent, in any case; a reader takes from
 * a record only what belongs to its shard. All others wait again. Answers how many bytes are settled.
 */
export function settleBundle(
  bundle: Bundle,
  place: { shard: string; sequence: string },
  lanesThere: readonly number[] = [],
): number {
  const isWhereExpected = !hasMoved(bundle, place);
  let index = 0;
  let settled = 0;
  for (const [i, { lane, items }] of bundle.portions.entries()) {
    const liesRight = i === 0 || isWhereExpected || lanesThere.includes(lane.number);
    for (const item of items) {
      if (liesRight) {
        item.answer?.resolve({ shard: place.shard, sequence: place.sequence, index });
        settled += item.data.byteLength;
      }
      index += item.events;
    }
    if (liesRight) lane.finish();
    else lane.giveBack();
  }
  return settled;
}
