import { setTimeout as sleep } from "node:timers/promises";

import {
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ProvisionedThroughputExceededException,
} from "@aws-sdk/client-kinesis";
import { expect, test } from "vitest";

import { hashKeyOfLane } from "../../core/position.ts";
import { createLogger } from "../logger.ts";
import type { Portion } from "./aggregation.ts";
import { packRecords } from "./packing.ts";
import { createShardReader } from "./shard-reader.ts";

type Answer = Error | { Records?: object[]; MillisBehindLatest?: number; NextShardIterator?: string };

const EMPTY = { Records: [], MillisBehindLatest: 0, NextShardIterator: "next" };
const record = (n: number) => ({
  SequenceNumber: String(100 + n),
  Data: Buffer.from(`${n}`),
  ApproximateArrivalTimestamp: new Date(n),
});
const isInFirstHalf = (hashKey: string) => BigInt(hashKey) < BigInt(hashKeyOfLane(8));
const never = new AbortController().signal;

/** A stream that answers as it is told, then that there is nothing more. */
function createReader(
  answers: Answer[],
  after: string | null = "99",
  options: { owns?(hashKey: string): boolean; countEvents?(data: Buffer): number } = {},
) {
  const iterators: unknown[] = [];
  const send = async (command: unknown) => {
    if (command instanceof GetShardIteratorCommand) {
      iterators.push(command.input.StartingSequenceNumber ?? command.input.ShardIteratorType);
      return { ShardIterator: `iterator-${iterators.length}` };
    }
    if (!(command instanceof GetRecordsCommand)) throw new Error("not asked for");
    const answer = answers.shift() ?? EMPTY;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const reader = createShardReader({ send } as unknown as KinesisClient, {
    stream: "s",
    shard: "shard-0",
    after,
    owns: () => true,
    isClosed: () => false,
    countEvents: () => 1,
    readTime: () => 42,
    ...options,
    log: createLogger("test", { LIVORA_LOG_LEVEL: "silent" }),
  });
  return { reader, iterators };
}

test("poked, it looks at once", async () => {
  const { reader } = createReader([]);
  for (let n = 0; n < 8; n++) await reader.read(never);
  const reading = reader.read(never);
  reader.poke();
  // All that is left to do needs no timer; asleep, it would be after this one.
  expect(await Promise.race([reading.then(() => "read"), sleep(40).then(() => "asleep")])).toBe("read");
  reader.poke();
  expect(await Promise.race([reader.read(never).then(() => "read"), sleep(40).then(() => "asleep")])).toBe("read");
});

test("after an expired iterator, throttling or a lost answer it goes on behind the last record", async () => {
  const metadata = { message: "", $metadata: {} };
  const { reader, iterators } = createReader([
    { Records: [record(0), record(1)], MillisBehindLatest: 500, NextShardIterator: "next" },
    new ExpiredIteratorException(metadata),
    new ProvisionedThroughputExceededException(metadata),
    new Error("connection reset"),
    { Records: [record(2)], MillisBehindLatest: 0, NextShardIterator: "next" },
  ]);
  const first = await reader.read(never);
  expect(first).toMatchObject({ tipTimeMs: null, msBehind: 500, ended: false });
  const second = await reader.read(never);
  expect(second?.records.map((one) => one.sequence)).toEqual(["102"]);
  expect(second).toMatchObject({ tipTimeMs: 42 });
  expect(iterators).toEqual(["99", "101", "101", "101"]);
});

test("a closed shard ends, and says so as often as it is asked", async () => {
  const { reader } = createReader([{ Records: [record(0)], MillisBehindLatest: 0 }]);
  expect(await reader.read(never)).toMatchObject({ ended: true, tipTimeMs: 42 });
  expect(await reader.read(never)).toMatchObject({ ended: true, records: [] });
});

test("an empty shard is read from its very beginning until it has something", async () => {
  const { reader, iterators } = createReader([EMPTY, EMPTY, { ...EMPTY, Records: [record(0)] }], null);
  for (let n = 0; n < 3; n++) await reader.read(never);
  expect(iterators).toEqual(["TRIM_HORIZON"]);
});

test("a full answer is not taken for the tip", async () => {
  const hundred = Array.from({ length: 100 }, (_, n) => record(n));
  const { reader } = createReader([{ Records: hundred, MillisBehindLatest: 0, NextShardIterator: "next" }]);
  expect(await reader.read(never)).toMatchObject({ tipTimeMs: null });
  expect(await reader.read(never)).toMatchObject({ tipTimeMs: 42, records: [] });
});

test("told to stop, it stops wherever it is", async () => {
  const { reader } = createReader([new Error("away"), new Error("away"), new Error("away")]);
  expect(await reader.read(AbortSignal.timeout(30))).toBeNull();
});

test("of a record only what belongs to the shard is handed over, under the numbers that the whole record gives", async () => {
  const portions = [1, 9, 2].map((lane) => ({
    partitionKey: `lane-${lane}`,
    hashKey: hashKeyOfLane(lane),
    records: [Buffer.from(`a of ${lane}`), Buffer.from(`b of ${lane}`)],
  })) as never as [Portion, ...Portion[]];
  const Data = packRecords(portions);
  // What is no aggregated record, or names no hash key, lies where Kinesis has put it.
  const answer = { ...EMPTY, Records: [{ ...record(0), Data }, record(1)] };
  const { reader } = createReader([answer], "99", { owns: isInFirstHalf, countEvents: () => 3 });
  const entries = (await reader.read(never))?.records.flatMap((one) => one.entries) ?? [];
  expect(entries.map(({ sequence, index, data }) => [sequence, index, String(data)])).toEqual([
    ["100", 0, "a of 1"],
    ["100", 3, "b of 1"],
    ["100", 12, "a of 2"],
    ["100", 15, "b of 2"],
    ["101", 0, "1"],
  ]);
});
