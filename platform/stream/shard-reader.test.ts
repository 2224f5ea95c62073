import { setTimeout as sleep } from "node:timers/promises";

import {
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ProvisionedThroughputExceededException,
} from "@aws-sdk/client-kinesis";
import { expect, test } from "vitest";

import { createLogger } from "../logger.ts";
import { createShardReader } from "./shard-reader.ts";

type Answer = Error | { Records?: object[]; MillisBehindLatest?: number; NextShardIterator?: string };

const EMPTY = { Records: [], MillisBehindLatest: 0, NextShardIterator: "next" };
const record = (n: number) => ({
  SequenceNumber: String(100 + n),
  Data: Buffer.from(`${n}`),
  ApproximateArrivalTimestamp: new Date(n),
});
const never = new AbortController().signal;

/** A stream that answers as it is told, then that there is nothing more. */
function createReader(answers: Answer[], after: string | null = "99") {
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
    countEvents: () => 1,
    readTime: () => 42,
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
