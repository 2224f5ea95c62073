import { type KinesisClient, MergeShardsCommand, SplitShardCommand } from "@aws-sdk/client-kinesis";

import { createContext } from "../../../platform/context.ts";
import { listShards, type StreamShard } from "../../../platform/stream/shard-list.ts";
import { waitUntil } from "../../support/wait-until.ts";
import type { Scenario, Scene } from "../scenario.ts";

/** Each stream's first shard is split, then the halves are merged again, with people about all the while. */
export const resharding: Scenario = {
  name: "resharding",
  fault: "shards of both streams split and merged under load",
  invariant: "no gap, a session's order kept",
  // What went to a shard that no longer is the right one is put again.
  allowances: { arePutsRepeated: true },
  async run(scene) {
    const { config } = scene.stack;
    const { kinesis, close } = createContext("chaos", config);
    try {
      for (const stream of [config.LIVORA_STREAM_EVENTS, config.LIVORA_STREAM_ENRICHED]) {
        void scene.letIn(6);
        await splitAndMerge(scene, kinesis, stream);
      }
    } finally {
      await close();
    }
    await scene.recover(Date.now());
  },
};

async function splitAndMerge(scene: Scene, kinesis: KinesisClient, StreamName: string): Promise<void> {
  const all = () => listShards(kinesis, StreamName);
  const before = await all();
  const first = before.find((shard) => shard.isOpen);
  if (!first) throw new Error(`${StreamName} has no open shard`);
  const middle = middleOf(first);
  await kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit: first.id, NewStartingHashKey: middle }));
  await waitUntil(async () => (await all()).length === before.length + 2, { what: `${StreamName} split` });
  const halves = (await all()).filter((shard) => shard.parents.includes(first.id)).map((shard) => shard.id);
  await scene.letIn(4);
  const merge = new MergeShardsCommand({ StreamName, ShardToMerge: halves[0], AdjacentShardToMerge: halves[1] });
  await kinesis.send(merge);
  await waitUntil(async () => (await all()).length === before.length + 3, { what: `${StreamName} merged` });
}

/** A lane lies wholly in one shard: with a power of two of them, the middle is never within one. */
function middleOf({ hashKeys: [first, last] }: StreamShard): string {
  return ((first + last + 1n) / 2n).toString();
}
