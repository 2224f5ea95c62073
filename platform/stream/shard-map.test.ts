import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { expect, test } from "vitest";

import { LANES } from "../../core/position.ts";
import { createShardMap, groupLanes } from "./shard-map.ts";

const SPACE = 1n << 128n;
const shard = (id: string, begin: bigint, end: bigint, isOpen = true) => ({
  id,
  parents: [],
  hashKeys: [begin, end - 1n] as const,
  isOpen,
});
const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

test("lanes are grouped by the open shard that they lie in", () => {
  const shards = [shard("parent", 0n, SPACE, false), shard("left", 0n, SPACE / 4n), shard("right", SPACE / 4n, SPACE)];
  expect(groupLanes(shards)).toEqual([
    { shard: "left", lanes: from(0, LANES / 4) },
    { shard: "right", lanes: from(LANES / 4, (LANES * 3) / 4) },
  ]);
});

test("a lane whose shard is not there, in the midst of a split, is by itself", () => {
  expect(groupLanes([shard("right", SPACE / 2n, SPACE)])).toEqual([
    ...from(0, LANES / 2).map((lane) => ({ shard: null, lanes: [lane] })),
    { shard: "right", lanes: from(LANES / 2, LANES / 2) },
  ]);
});

const range = (begin: bigint, end: bigint) => ({ StartingHashKey: String(begin), EndingHashKey: String(end - 1n) });

/** A stream that splits into two, and answers once it is told to. */
function createStream() {
  const calls: { answer(): void; fail(): void }[] = [];
  const send = () =>
    new Promise((resolve, reject) => {
      const ended = { StartingSequenceNumber: "1", EndingSequenceNumber: "9" };
      const Shards = [
        { ShardId: "parent", HashKeyRange: range(0n, SPACE), SequenceNumberRange: ended },
        { ShardId: "left", HashKeyRange: range(0n, SPACE / 2n), SequenceNumberRange: {} },
        { ShardId: "right", HashKeyRange: range(SPACE / 2n, SPACE), SequenceNumberRange: {} },
      ];
      calls.push({ answer: () => resolve({ Shards }), fail: () => reject(new Error("away")) });
    });
  return { calls, kinesis: { send } as unknown as KinesisClient };
}

test("whoever asks what lies in a shard waits for the answer that is under way, and is told of closed ones, too", async () => {
  const { calls, kinesis } = createStream();
  const map = createShardMap(kinesis, "s");
  const asked = map.lanesOf("left");
  calls[0]?.answer();
  expect(await asked).toEqual(from(0, LANES / 2));
  expect(await map.lanesOf("parent")).toEqual(from(0, LANES));
  expect(await map.lanesOf("another")).toEqual([]);
  map.renew();
  expect(map.groups).toHaveLength(LANES);
  expect(calls).toHaveLength(2);
});

test("where the stream does not tell, nothing is known, and nobody waits for ever", async () => {
  const { calls, kinesis } = createStream();
  const map = createShardMap(kinesis, "s");
  calls[0]?.fail();
  expect(await map.lanesOf("left")).toEqual([]);
  const silent = createShardMap(createStream().kinesis, "s");
  expect(await silent.lanesOf("left")).toEqual([]);
});
