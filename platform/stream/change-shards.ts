import {
  InvalidArgumentException,
  type KinesisClient,
  LimitExceededException,
  MergeShardsCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  SplitShardCommand,
} from "@aws-sdk/client-kinesis";

import type { ChangeOutcome } from "../../core/contracts/shard-scaling.ts";
import { firstHashKeyOfLane } from "../../core/position.ts";
import type { ShardChange } from "../../core/shard-scaling.ts";
import { listShards, type StreamShard } from "./shard-list.ts";

/**
 * Splits a shard where a lane begins, or merges two neighbours. Kinesis goes on by itself (the stream is `UPDATING` for a
 * while); what has been done before is `done`. Throws where Kinesis does not answer: whether it was done is seen next time.
 */
export async function changeShards(
  kinesis: KinesisClient,
  { stream, change }: { stream: string; change: ShardChange },
): Promise<ChangeOutcome> {
  const shards = await listShards(kinesis, stream);
  if (isDone(shards, change)) return { state: "done" };
  const gone = namesOf(change).find((id) => !shards.some((shard) => shard.id === id && shard.isOpen));
  if (gone !== undefined) return { state: "refused", reason: `${gone} is no open shard` };
  try {
    if (change.type === "split") {
      const NewStartingHashKey = firstHashKeyOfLane(change.at_lane);
      await kinesis.send(new SplitShardCommand({ StreamName: stream, ShardToSplit: change.shard, NewStartingHashKey }));
    } else {
      const [ShardToMerge, AdjacentShardToMerge] = change.shards;
      await kinesis.send(new MergeShardsCommand({ StreamName: stream, ShardToMerge, AdjacentShardToMerge }));
    }
    return { state: "done" };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { state: "refused", reason: `Kinesis: ${error.name}: ${error.message}` };
  }
}

/** The very children are there: a change whose answer was lost, and which is asked for again. */
function isDone(shards: readonly StreamShard[], change: ShardChange): boolean {
  const ids = namesOf(change);
  const children = shards.filter((shard) => ids.every((id) => shard.parents.includes(id)));
  if (change.type === "merge") return children.length > 0;
  return children.some((child) => child.hashKeys[0] === BigInt(firstHashKeyOfLane(change.at_lane)));
}

function namesOf(change: ShardChange): string[] {
  return change.type === "split" ? [change.shard] : change.shards;
}

/** The account's limit of shards, a stream that is being changed, a shard that is gone: the next look decides anew. */
function isRefusal(error: unknown): error is Error {
  return [LimitExceededException, ResourceInUseException, ResourceNotFoundException, InvalidArgumentException].some(
    (kind) => error instanceof kind,
  );
}
