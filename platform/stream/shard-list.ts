import { type KinesisClient, ListShardsCommand } from "@aws-sdk/client-kinesis";

import { hashKeyOfLane, LANES } from "../../core/position.ts";

export interface StreamShard {
  id: string;
  /** Those it came out of: none at first, one after a split, two after a merge. */
  parents: string[];
  /** Its part of the hash-key space, first and last included; never changes. */
  hashKeys: readonly [bigint, bigint];
  /** It still takes records. */
  isOpen: boolean;
}

/** All shards that the stream still keeps records of, the closed ones too. */
export async function listShards(kinesis: KinesisClient, stream: string): Promise<StreamShard[]> {
  const shards: StreamShard[] = [];
  let next: string | undefined;
  do {
    const answer = await kinesis.send(new ListShardsCommand(next ? { NextToken: next } : { StreamName: stream }));
    for (const { ShardId = "", HashKeyRange, ...shard } of answer.Shards ?? []) {
      const parents = [shard.ParentShardId, shard.AdjacentParentShardId].filter((id) => id !== undefined);
      const hashKeys = [BigInt(HashKeyRange?.StartingHashKey ?? 0), BigInt(HashKeyRange?.EndingHashKey ?? -1)] as const;
      shards.push({ id: ShardId, parents, hashKeys, isOpen: !shard.SequenceNumberRange?.EndingSequenceNumber });
    }
    next = answer.NextToken;
  } while (next);
  return shards;
}

/** Whether what has this hash key belongs to the shard. What is no hash key at all lies where Kinesis has put it. */
export function isWithin({ hashKeys: [first, last] }: Pick<StreamShard, "hashKeys">, hashKey: string): boolean {
  if (!/^\d{1,39}$/.test(hashKey)) return true;
  const key = BigInt(hashKey);
  return key >= first && key <= last;
}

/** The lanes that lie in the shard, in order. */
export function lanesOf(shard: Pick<StreamShard, "hashKeys">): number[] {
  return ALL_LANES.filter((lane) => isWithin(shard, hashKeyOfLane(lane)));
}

const ALL_LANES = Array.from({ length: LANES }, (_, lane) => lane);

/** Shards that may be read now: not ended, and every parent either ended or no longer kept by the stream. */
export function readableShards(shards: readonly StreamShard[], hasEnded: (shard: string) => boolean): StreamShard[] {
  const kept = new Set(shards.map((shard) => shard.id));
  return shards.filter(
    (shard) => !hasEnded(shard.id) && shard.parents.every((parent) => !kept.has(parent) || hasEnded(parent)),
  );
}
