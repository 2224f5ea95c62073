import type { KinesisClient } from "@aws-sdk/client-kinesis";

import { LANES } from "../../core/position.ts";
import { lanesOf, listShards, type StreamShard } from "./shard-list.ts";

/** Which lanes lie in the same shard, so that they may share a record. May be out of date; may never be wrong. */
export interface ShardMap {
  /** Each group's lanes and shard; while nothing is known, each lane by itself. */
  readonly groups: readonly LaneGroup[];
  /** The shards are not as they were: forgets them, and asks again. */
  renew(): void;
  /** All lanes of a shard, also of one that is closed by now; none where the stream does not tell soon. Resolves always. */
  lanesOf(shard: string): Promise<readonly number[]>;
}

export interface LaneGroup {
  shard: string | null;
  lanes: readonly number[];
}

const ASK_AGAIN_MS = 1_000;
/** For so long somebody waits to be told where lanes lie. */
const TELL_WITHIN_MS = 1_000;
const SINGLES: readonly LaneGroup[] = Array.from({ length: LANES }, (_, lane) => ({ shard: null, lanes: [lane] }));

export function createShardMap(kinesis: KinesisClient, stream: string): ShardMap {
  let groups = SINGLES;
  /** What part of a stream a shard is never changes. */
  let known: ReadonlyMap<string, readonly number[]> = new Map();
  let isAsking = true;
  let asking = ask();

  async function ask(): Promise<void> {
    isAsking = true;
    try {
      const shards = await listShards(kinesis, stream);
      groups = groupLanes(shards);
      known = new Map(shards.map((shard) => [shard.id, lanesOf(shard)]));
      isAsking = false;
    } catch {
      // Lanes by themselves cost more, and are right; whoever writes finds out for itself that the stream is away.
      setTimeout(() => (asking = ask()), ASK_AGAIN_MS).unref();
    }
  }

  return {
    get groups() {
      return groups;
    },
    renew() {
      groups = SINGLES;
      if (!isAsking) asking = ask();
    },
    async lanesOf(shard) {
      await Promise.race([asking, new Promise((resolve) => setTimeout(resolve, TELL_WITHIN_MS).unref())]);
      return known.get(shard) ?? [];
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
