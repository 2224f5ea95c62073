import { type KinesisClient, ListShardsCommand } from "@aws-sdk/client-kinesis";

/** A shard and those it came out of: none at first, one after a split, two after a merge. */
export interface StreamShard {
  id: string;
  parents: string[];
}

/** All shards that the stream still keeps records of, the closed ones too. */
export async function listShards(kinesis: KinesisClient, stream: string): Promise<StreamShard[]> {
  const shards: StreamShard[] = [];
  let next: string | undefined;
  do {
    const answer = await kinesis.send(new ListShardsCommand(next ? { NextToken: next } : { StreamName: stream }));
    for (const shard of answer.Shards ?? []) {
      const parents = [shard.ParentShardId, shard.AdjacentParentShardId].filter((id) => id !== undefined);
      shards.push({ id: shard.ShardId ?? "", parents });
    }
    next = answer.NextToken;
  } while (next);
  return shards;
}

/** Shards that may be read now: not ended, and every parent either ended or no longer kept by the stream. */
export function readableShards(shards: readonly StreamShard[], hasEnded: (shard: string) => boolean): StreamShard[] {
  const kept = new Set(shards.map((shard) => shard.id));
  return shards.filter(
    (shard) => !hasEnded(shard.id) && shard.parents.every((parent) => !kept.has(parent) || hasEnded(parent)),
  );
}
