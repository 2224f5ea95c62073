import type { KinesisClient } from "@aws-sdk/client-kinesis";

import { LANES } from "../../core/position.ts";
import { lanesOf, listShards, type StreamShard } from "./shard-list.ts";

/** Which lanes lie in the same shard, so that they may share a record. May be out of date; may never be wrong. */
export interface ShardMap {
  /** Each group's lanes and shard; while nothing is known, each lane by itself. */
  readonly groups: readonly LaneGroup[];
  /** The shards are not as they were: forgets them, and asks again. */
  renew(): void;
}

export interface LaneGroup {
  shard: string | null;
  lanes: readonly number[];
}

const ASK_AGAIN_MS = 1_000;
const SINGLES: readonly LaneGroup[] = Array.from({ length: LANES }, (_, lane) => ({ shard: null, lanes: [lane] }));

export function createShardMap(kinesis: KinesisClient, stream: string): ShardMap {
  let groups = SINGLES;
  let isAsking = false;

  const ask = async () => {
    isAsking = true;
    try {
      groups = groupLanes(await listShards(kinesis, stream));
      isAsking = false;
    } catch {
      // Lanes by themselves cost more, and are right; whoever writes finds out for itself that the stream is away.
      setTimeout(ask, ASK_AGAIN_MS).unref();
    }
  };
  void ask();

  return {
    get groups() {
      return groups;
    },
    renew() {
      groups = SINGLES;
      if (!isAsking) void ask();
    },
  };
}

/** By open shard; a lane that lies in none, in the midst of a split, by itself. In the order of their first lanes. */
export function groupLanes(shards: readonly StreamShard[]): LaneGroup[] {
  const left = new Set(SINGLES.flatMap((single) => single.lanes));
  const groups: LaneGroup[] = [];
  for (const shard of shards.filter((one) => one.isOpen)) {
    const lanes = lanesOf(shard).filter((lane) => left.delete(lane));
    if (lanes.length > 0) groups.push({ shard: shard.id, lanes });
  }
  for (const lane of left) groups.push({ shard: null, lanes: [lane] });
  return groups.toSorted((a, b) => a.lanes[0]! - b.lanes[0]!);
}
