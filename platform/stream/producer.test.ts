import { randomBytes } from "node:crypto";

import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";

import { isAppError } from "../../core/errors.ts";
import { hashKeyOfLane, LANES, type Position } from "../../core/position.ts";
import { unpackRecords } from "./packing.ts";
import { createStreamProducer, type ProducerOptions } from "./producer.ts";
import type { PutRecords } from "./put-records.ts";
import type { ShardMap } from "./shard-map.ts";
import type { StreamProducer } from "./types.ts";

afterEach(() => void vi.restoreAllMocks());

type Fate = "take" | "refuse-some" | "lose" | "lose-answer";

const LANE_OF = new Map(Array.from({ length: LANES }, (_, lane) => [hashKeyOfLane(lane), lane]));
const laneOfKey = (hashKey: string | null) => LANE_OF.get(hashKey ?? "") ?? -1;
/** So many equal shards, each split into its generation. */
const shardOf = (lane: number, shards: number) => `${shards}-${Math.floor((lane * shards) / LANES)}`;

/**
 * A stream in memory that has bad moments, and as many shards as it is told. What its readers get, by lane, in order: of
 * each record what belongs to its shard, and every shard before those that came out of it.
 */
function createStream(fates: Fate[] = [], shards = 2) {
  const taken = new Map<string, string[]>();
  const puts: number[] = [];
  const stream = { taken, puts, shards, putRecords };
  let sequence = 0;
  const take = (key: string, data: Uint8Array) => {
    const shard = shardOf(laneOfKey(key), stream.shards);
    for (const part of unpackRecords(data)) {
      const lane = laneOfKey(part.hashKey);
      if (shardOf(lane, stream.shards) !== shard) continue;
      taken.set(`lane-${lane}`, [...(taken.get(`lane-${lane}`) ?? []), part.data.toString()]);
    }
    return { shard, sequence: String(++sequence) };
  };
  async function putRecords(records: Parameters<PutRecords>[0]): ReturnType<PutRecords> {
    const fate = fates.shift() ?? "take";
    puts.push(records.length);
    await new Promise((resolve) => setImmediate(resolve));
    if (fate === "lose") return records.map(() => ({ error: "ECONNRESET" }));
    const answers = records.map((record, i) =>
      fate === "refuse-some" && i % 2 === 0
        ? { error: "ProvisionedThroughputExceededException" }
        : take(record.hashKey, record.data),
    );
    return fate === "lose-answer" ? records.map(() => ({ error: "TimeoutError" })) : answers;
  }
  return stream;
}

/** What the producer believes of the shards; learns of changes only when told to look again, if the stream tells it. */
function createShardMap(stream: { shards?: number }, tells: () => boolean = () => true): ShardMap {
  const look = () => {
    const byShard = Map.groupBy(LANE_OF.values(), (lane) => shardOf(lane, stream.shards ?? 2));
    return [...byShard].map(([shard, lanes]) => ({ shard, lanes }));
  };
  return {
    groups: look(),
    renew() {
      Object.assign(this, { groups: look() });
    },
    async lanesOf(shard) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!tells()) return [];
      const generation = Number(shard.split("-")[0]);
      return [...LANE_OF.values()].filter((lane) => shardOf(lane, generation) === shard);
    },
  };
}

const create = (stream: { putRecords: PutRecords; shards?: number }, options: Partial<ProducerOptions> = {}) => {
  const shardMap = createShardMap(stream);
  return createStreamProducer({
    kinesis: null as never,
    stream: "s",
    putRecords: stream.putRecords,
    shardMap,
    ...options,
  });
};

/** Each first time: what is left when the enricher has dropped what it has seen. */
const once = (entries: readonly string[] = []) => [...new Set(entries)];

test("what arrives together goes out together, one record for each shard", async () => {
  const stream = createStream();
  const producer = create(stream);
  const data = Array.from({ length: 100 }, (_, i) => Buffer.from(`event ${i}`));
  const positions = await Promise.all(data.map((bytes, i) => producer.append(i % LANES, bytes, 2)));
  expect(stream.puts).toEqual([2]);
  const inFirst = positions.filter((_, i) => i % LANES < LANES / 2);
  expect(new Set(inFirst.map(({ shard, sequence }) => `${shard} ${sequence}`)).size).toBe(1);
  expect(inFirst.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(inFirst.map((_, i) => 2 * i));
  expect(producer.pendingBytes).toBe(0);
  await producer.close();
});

/** Lane, whether to wait afterwards, and how many shards there are from now on, where that changes. */
type Plan = readonly (readonly [lane: number, pause: boolean, reshard: number])[];
const plans: fc.Arbitrary<Plan> = fc.array(
  fc.tuple(fc.nat({ max: LANES - 1 }), fc.boolean(), fc.constantFrom(0, 0, 0, 1, 2, 4, 16)),
  { minLength: 1, maxLength: 40 },
);

/** What each lane was given, in order. Every answer names a shard in which the lane lies. */
async function carryOut(plan: Plan, stream: ReturnType<typeof createStream>, producer: StreamProducer) {
  const expected = new Map<string, string[]>();
  const answers: Promise<Position>[] = [];
  for (const [i, [lane, pause, reshard]] of plan.entries()) {
    if (reshard > 0) stream.shards = reshard;
    expected.set(`lane-${lane}`, [...(expected.get(`lane-${lane}`) ?? []), `event ${i}`]);
    answers.push(producer.append(lane, Buffer.from(`event ${i}`), 1));
    if (pause) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [i, { shard }] of (await Promise.all(answers)).entries()) {
    expect(shard).toBe(shardOf(plan[i]?.[0] ?? -1, Number(shard.split("-")[0])));
  }
  await producer.close();
  return expected;
}

test("whatever fails and how often, and whatever becomes of the shards: nothing is lost, and a lane keeps its order", async () => {
  const fate = fc.constantFrom<Fate>("take", "refuse-some", "lose", "lose-answer");
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { maxLength: 4 }), plans, fc.func(fc.boolean()), async (fates, plan, tells) => {
      const stream = createStream(fates);
      const producer = create(stream, { shardMap: createShardMap(stream, () => tells()) });
      const expected = await carryOut(plan, stream, producer);
      for (const [lane, events] of expected) expect(once(stream.taken.get(lane))).toEqual(events);
    }),
    { numRuns: 20 },
  );
});

test("whatever becomes of the shards: where the stream tells what it has, no reader gets anything twice", async () => {
  const fate = fc.constantFrom<Fate>("take", "refuse-some", "lose");
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { maxLength: 4 }), plans, async (fates, plan) => {
      const stream = createStream(fates);
      const expected = await carryOut(plan, stream, create(stream));
      expect(new Map([...stream.taken].toSorted())).toEqual(new Map([...expected].toSorted()));
    }),
    { numRuns: 20 },
  );
});

test("after a merge all lanes of a record lie in the merged shard: nothing is sent again", async () => {
  const reasons: string[] = [];
  const stream = createStream([], 4);
  const producer = create(stream, { onRetry: (reason) => reasons.push(reason) });
  stream.shards = 2;
  const lanes = [...LANE_OF.values()];
  const answers = await Promise.all(lanes.map((lane) => producer.append(lane, Buffer.from(`of ${lane}`), 1)));
  expect(stream.puts).toEqual([4]);
  expect(reasons).toEqual([]);
  expect(answers.map(({ shard }) => shard)).toEqual(lanes.map((lane) => shardOf(lane, 2)));
  for (const lane of lanes) expect(stream.taken.get(`lane-${lane}`)).toEqual([`of ${lane}`]);
  await producer.close();
});

test("what comes after a refused record of its lane waits until the stream has that one", async () => {
  const stream = createStream(["lose"]);
  let second: Promise<unknown> | null = null;
  const onRetry = () => void (second ??= producer.append(3, Buffer.from("second"), 1));
  const producer = create(stream, { patienceMs: 0, onRetry });
  await producer.append(3, Buffer.from("first"), 1);
  await second;
  expect(stream.taken.get("lane-3")).toEqual(["first", "second"]);
  await producer.close();
});

/** Answers when it is told to. */
function createSlowStream() {
  const underWay: { answer: () => void }[] = [];
  const putRecords: PutRecords = (records) =>
    new Promise((resolve) => {
      const answers = records.map(({ hashKey }) => ({ shard: shardOf(laneOfKey(hashKey), 2), sequence: "1" }));
      underWay.push({ answer: () => resolve(answers) });
    });
  return { underWay, putRecords };
}
/** It goes on when it is told to: what is to happen within two milliseconds takes longer where others want the processor. */
function stopClock(): (ms: number) => void {
  let nowMs = 1_000;
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  return (ms) => void (nowMs += ms);
}
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("while a put is under way little waits for it, much goes at once, and nothing waits for long", async () => {
  const goOn = stopClock();
  const stream = createSlowStream();
  const producer = create(stream, { patienceMs: 60 });
  const answers = [producer.append(0, Buffer.from("a"), 1)];
  await turn();
  answers.push(producer.append(1, Buffer.from("b"), 1), producer.append(2, Buffer.from("c"), 1));
  await turn();
  expect(stream.underWay).toHaveLength(1);
  answers.push(producer.append(3, Buffer.alloc(300_000), 1));
  await turn();
  expect(stream.underWay).toHaveLength(2);
  answers.push(producer.append(4, Buffer.from("d"), 1));
  await turn();
  expect(stream.underWay).toHaveLength(2);
  goOn(60);
  await vi.waitFor(() => expect(stream.underWay).toHaveLength(3), { timeout: 60_000 });
  for (const { answer } of stream.underWay) answer();
  await Promise.all(answers);
  await producer.close();
});

test("what comes right after a small put shares the next one with what comes then, and that is soon", async () => {
  const goOn = stopClock();
  const stream = createStream();
  const producer = create(stream);
  await producer.append(1, Buffer.from("first"), 1);
  const second = producer.append(1, Buffer.from("second"), 1);
  for (let turns = 0; turns < 5; turns++) await turn();
  expect(stream.puts).toHaveLength(1);
  const third = producer.append(1, Buffer.from("third"), 1);
  goOn(5);
  await Promise.all([second, third]);
  expect(stream.puts).toHaveLength(2);
  expect(stream.taken.get("lane-1")).toEqual(["first", "second", "third"]);
  await producer.close();
});

test("a split is found out by where a record comes to lie: what does not belong there is sent again, and answered then", async () => {
  const reasons: string[] = [];
  const stream = createStream([], 1);
  const producer = create(stream, { onRetry: (reason) => reasons.push(reason) });
  stream.shards = 2;
  const answers = await Promise.all([0, 8, 15].map((lane) => producer.append(lane, Buffer.from(`of ${lane}`), 1)));
  expect(reasons).toEqual(["Resharded"]);
  const expected = [0, 8, 15].map((lane) => shardOf(lane, 2));
  expect(answers.map(({ shard }) => shard)).toEqual(expected);
  for (const lane of [0, 8, 15]) expect(once(stream.taken.get(`lane-${lane}`))).toEqual([`of ${lane}`]);
  await producer.close();
});

test("retries are told of", async () => {
  const reasons: string[] = [];
  const producer = create(createStream(["refuse-some"]), { onRetry: (reason) => reasons.push(reason) });
  await producer.append(3, Buffer.from("a"), 1);
  expect(reasons).toEqual(["ProvisionedThroughputExceededException"]);
  await producer.close();
});

test("more than may wait is refused at once, with when to come back", async () => {
  const producer = create(createStream(), { maxPendingBytes: 10 });
  const first = producer.append(0, Buffer.alloc(8), 1);
  const error = await producer.append(1, Buffer.alloc(8), 1).catch((error: unknown) => error);
  expect(isAppError(error, "unavailable") && error.retryAfterMs).toBeGreaterThan(0);
  await first;
  await producer.append(1, Buffer.alloc(8), 1);
  await producer.close();
});

test("what the stream does not answer in time is unavailable, and its bytes still go, in order", async () => {
  const stream = createStream(["lose", "lose", "lose", "lose"]);
  const producer = create(stream, { deadlineMs: 120 });
  const late = await producer.append(0, Buffer.from("first"), 1).catch((error: unknown) => error);
  expect(isAppError(late, "unavailable")).toBe(true);
  await producer.append(0, Buffer.from("second"), 1).catch(() => {});
  await producer.close();
  expect(stream.taken.get("lane-0")).toEqual(["first", "second"]);
});

test("a lane's record stays below the limit, a put below five megabytes", async () => {
  const stream = createStream();
  const sizes: number[] = [];
  const watch: PutRecords = (records) => {
    const bytes = records.map((record) => record.data.length);
    expect(Math.max(...bytes)).toBeLessThanOrEqual(512 * 1024);
    sizes.push(bytes.reduce((sum, size) => sum + size, 0));
    return stream.putRecords(records);
  };
  const producer = create({ putRecords: watch });
  await Promise.all(Array.from({ length: 160 }, (_, i) => producer.append(i % LANES, randomBytes(100_000), 1)));
  expect(Math.max(...sizes)).toBeLessThan(5_000_000);
  await producer.close();
});

test("too large for any record is invalid, and after close nothing is taken", async () => {
  const producer = create(createStream());
  const huge = await producer.append(0, Buffer.alloc(1_000_001), 1).catch((error: unknown) => error);
  expect(isAppError(huge, "invalid")).toBe(true);
  await producer.close();
  const closed = await producer.append(0, Buffer.from("a"), 1).catch((error: unknown) => error);
  expect(isAppError(closed, "unavailable")).toBe(true);
});
