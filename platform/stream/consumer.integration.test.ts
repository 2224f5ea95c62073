import { MergeShardsCommand, PutRecordCommand, SplitShardCommand } from "@aws-sdk/client-kinesis";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";

import { hashKeyOfLane, LANES } from "../../core/position.ts";
import { createIsolatedContext } from "../../test/support/context.ts";
import { waitUntil } from "../../test/support/wait-until.ts";
import type { Context } from "../context.ts";
import { encodeAggregated } from "./aggregation.ts";
import { runConsumer } from "./consumer.ts";
import { createLeaseStore, LeaseLost } from "./lease-store.ts";
import { createStreamProducer } from "./producer.ts";
import { listShards } from "./shard-list.ts";
import type { Consumer, ConsumerOptions, StreamBatch } from "./types.ts";

const consumers: Consumer[] = [];
const contexts: Context[] = [];

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
  await Promise.all(contexts.splice(0).map((ctx) => ctx.close()));
});

async function createContext(shards: number): Promise<Context> {
  const ctx = await createIsolatedContext({ LIVORA_STREAM_SHARDS: shards, LIVORA_LOG_LEVEL: "silent" });
  contexts.push(ctx);
  return ctx;
}

/** A state that shows what a shard has been through. */
type Seen = string[];

function start(ctx: Context, handle: ConsumerOptions<Seen>["handle"], options: Partial<ConsumerOptions<Seen>> = {}) {
  const consumer = runConsumer<Seen>(ctx, {
    stream: ctx.config.LIVORA_STREAM_EVENTS,
    name: "test",
    handle,
    countEvents: (data) => Number(data.toString().split("*")[1] ?? 1),
    maxBatchBytes: 1_000_000,
    lingerMs: 0,
    exactRanges: false,
    mergeStates: (states) => states.flat().toSorted(),
    leaseMs: 1_000,
    ...options,
  });
  consumers.push(consumer);
  return consumer;
}

async function put(ctx: Context, lane: number, ...texts: string[]): Promise<void> {
  const key = hashKeyOfLane(lane);
  const Data = encodeAggregated([
    { partitionKey: "lane", hashKey: key, records: texts.map((text) => Buffer.from(text)) },
  ]);
  const StreamName = ctx.config.LIVORA_STREAM_EVENTS;
  await ctx.kinesis.send(new PutRecordCommand({ StreamName, Data, PartitionKey: "lane", ExplicitHashKey: key }));
}

const textsOf = (batch: StreamBatch<Seen>) => batch.entries.map((entry) => entry.data.toString());

test("split and merged under load: the readers get all of each lane, in order, and every answer says where it lies", async () => {
  const ctx = await createContext(1);
  const { kinesis } = ctx;
  const StreamName = ctx.config.LIVORA_STREAM_EVENTS;
  const reasons: string[] = [];
  const producer = createStreamProducer({ kinesis, stream: StreamName, onRetry: (reason) => reasons.push(reason) });
  const got = new Map<string, string[]>();
  const places = new Map<string, string>();
  const handle = async ({ shard, entries, state = [] }: StreamBatch<Seen>): Promise<Seen> => {
    for (const { data, sequence, index } of entries) {
      const text = data.toString();
      const [lane = ""] = text.split(" ");
      got.set(lane, [...(got.get(lane) ?? []), text]);
      places.set(`${shard} ${sequence} ${index}`, text);
    }
    return state;
  };
  start(ctx, handle);
  const over = new AbortController();
  const answered: [string, string][] = [];
  const sender = async (lane: number) => {
    for (let n = 0; !over.signal.aborted; n++) {
      const text = `${lane} ${n}`;
      const { shard, sequence, index } = await producer.append(lane, Buffer.from(text), 1);
      answered.push([text, `${shard} ${sequence} ${index}`]);
    }
  };
  const senders = Array.from({ length: LANES }, (_, lane) => sender(lane));
  const open = async () => (await listShards(kinesis, StreamName)).filter((shard) => shard.isOpen).map(({ id }) => id);
  await waitUntil(() => answered.length > 500);
  const [whole] = await open();
  const NewStartingHashKey = (1n << 127n).toString();
  await kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit: whole, NewStartingHashKey }));
  await waitUntil(async () => (await open()).length === 2 && reasons.includes("Resharded"));
  await waitUntil(() => answered.length > 1_500);
  const [ShardToMerge, AdjacentShardToMerge] = await open();
  await kinesis.send(new MergeShardsCommand({ StreamName, ShardToMerge, AdjacentShardToMerge }));
  await waitUntil(async () => (await open()).length === 1);
  await waitUntil(() => answered.length > 2_500);
  over.abort();
  await Promise.all(senders);
  await producer.close();
  await waitUntil(() => new Set([...got.values()].flat()).size === answered.length);
  for (let lane = 0; lane < LANES; lane++) {
    const firstTimes = [...new Set(got.get(`${lane}`))];
    expect(firstTimes).toEqual(firstTimes.map((_, n) => `${lane} ${n}`));
  }
  for (const [text, place] of answered) expect(places.get(place)).toBe(text);
});

test("hands over every entry once and in order, numbered within its record, and remembers where it was", async () => {
  const ctx = await createContext(1);
  const got: { text: string; index: number }[] = [];
  const handle = async (batch: StreamBatch<Seen>): Promise<Seen> => {
    got.push(...batch.entries.map(({ data, index }) => ({ text: data.toString(), index })));
    return [...(batch.state ?? []), ...textsOf(batch)];
  };
  await put(ctx, 0, "a*3", "b", "c");
  const first = start(ctx, handle);
  await waitUntil(() => got.length === 3);
  await first.stop();
  await put(ctx, 0, "d");
  let state: Seen | undefined;
  start(ctx, async (batch) => handle({ ...batch, state: (state = batch.state) }));
  await waitUntil(() => got.length === 4);
  expect(got).toEqual([
    { text: "a*3", index: 0 },
    { text: "b", index: 3 },
    { text: "c", index: 4 },
    { text: "d", index: 0 },
  ]);
  expect(state).toEqual(["a*3", "b", "c"]);
});

test("a batch whose handler fails comes again, and what follows waits for it", async () => {
  const ctx = await createContext(1);
  const registry = new Registry();
  const tries: string[][] = [];
  start(
    ctx,
    async (batch) => {
      tries.push(textsOf(batch));
      if (tries.length < 3) throw new Error("store away");
      return [];
    },
    { maxBatchBytes: 1, registry },
  );
  await put(ctx, 0, "a");
  await put(ctx, 0, "b");
  await waitUntil(() => tries.length === 4);
  expect(tries).toEqual([["a"], ["a"], ["a"], ["b"]]);
  expect(await registry.metrics()).toMatch(/livora_consumer_failures_total\{consumer="test",shard="[^"]+"\} 2/);
});

test("exact ranges: a batch that was begun before a crash comes again as it was, though more has arrived", async () => {
  const ctx = await createContext(1);
  const [shard = { id: "" }] = await listShards(ctx.kinesis, ctx.config.LIVORA_STREAM_EVENTS);
  await put(ctx, 0, "a");
  await put(ctx, 0, "b");
  const begun: string[][] = [];
  const never = new Promise<Seen>(() => {});
  // This host never finishes its batch, and its lease runs out: as good as killed.
  const killed = runDoomed(ctx, (batch) => {
    begun.push(textsOf(batch));
    return never;
  });
  await waitUntil(() => begun.length === 1);
  await killed(shard.id);
  await put(ctx, 0, "c");
  const got: string[][] = [];
  const handle = async (batch: StreamBatch<Seen>) => (got.push(textsOf(batch)), []);
  start(ctx, handle, { exactRanges: true, lingerMs: 60_000, maxBatchBytes: 6 });
  await waitUntil(() => got.length >= 1);
  expect(got[0]).toEqual(begun[0]);
});

/** A host whose leases can be taken from it as if it had stood still; its stop would wait for its handler for ever. */
function runDoomed(ctx: Context, handle: ConsumerOptions<Seen>["handle"]): (shard: string) => Promise<void> {
  start(ctx, handle, { exactRanges: true, leaseMs: 600_000 });
  consumers.pop();
  const { LIVORA_STREAM_EVENTS: stream } = ctx.config;
  const leases = createLeaseStore(ctx, { stream, consumer: "test", owner: "thief", leaseMs: 1 });
  return async (shard) => {
    const held = (await leases.read([shard])).get(shard);
    await leases.acquire(shard, held, null);
  };
}

test("a former owner can write nothing", async () => {
  const ctx = await createContext(1);
  const options = { stream: "events", consumer: "test", leaseMs: 50 };
  const stale = createLeaseStore(ctx, { ...options, owner: "stale" });
  const fresh = createLeaseStore(ctx, { ...options, owner: "fresh" });
  const held = await stale.acquire("shard", undefined, null);
  if (!held) throw new Error("nobody else wanted it");
  await stale.saveCheckpoint(held, "1", '"first"');
  const seen = (await fresh.read(["shard"])).get("shard");
  const taken = await fresh.acquire("shard", seen, null);
  expect(taken).toMatchObject({ epoch: 2, owner: "fresh", checkpoint: "1", state: '"first"' });
  expect(await stale.acquire("shard", seen, null)).toBeNull();
  await expect(stale.saveCheckpoint(held, "2", '"stale"')).rejects.toThrow(LeaseLost);
  await expect(stale.savePending(held, { first: "2", last: "3" })).rejects.toThrow(LeaseLost);
  await expect(stale.renew(held)).rejects.toThrow(LeaseLost);
  await expect(stale.end(held)).rejects.toThrow(LeaseLost);
  await stale.release(held).catch(() => undefined);
  expect((await fresh.read(["shard"])).get("shard")).toMatchObject({ owner: "fresh", checkpoint: "1", ended: false });
});

test("two processes share, and where one is gone the other takes its shards over", async () => {
  const ctx = await createContext(2);
  const got = new Set<string>();
  const handle = async (batch: StreamBatch<Seen>) => (textsOf(batch).forEach((text) => got.add(text)), []);
  const first = start(ctx, handle);
  await waitUntil(() => first.shards().length === 2);
  const second = start(ctx, handle);
  await put(ctx, 0, "a");
  await waitUntil(() => got.has("a"));
  expect(second.shards()).toEqual([]);
  await first.stop();
  await waitUntil(() => second.shards().length === 2);
  await put(ctx, LANES - 1, "b");
  await waitUntil(() => got.has("b"));
});

test("parents come before children through split and merge, and children inherit the state of all their parents", async () => {
  const ctx = await createContext(1);
  const StreamName = ctx.config.LIVORA_STREAM_EVENTS;
  const got: { shard: string; text: string; state: Seen }[] = [];
  const handle = async (batch: StreamBatch<Seen>): Promise<Seen> => {
    const state = batch.state ?? [];
    got.push(...textsOf(batch).map((text) => ({ shard: batch.shard, text, state })));
    return [...state, ...textsOf(batch)];
  };
  const shardIds = async () => (await listShards(ctx.kinesis, StreamName)).map((shard) => shard.id);
  const listed: string[][] = [];
  await put(ctx, 0, "a");
  const [whole = ""] = await shardIds();
  const NewStartingHashKey = (1n << 127n).toString();
  await ctx.kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit: whole, NewStartingHashKey }));
  await waitUntil(async () => (await shardIds()).length === 3);
  await put(ctx, 0, "left");
  await put(ctx, LANES - 1, "right");
  const [, left = "", right = ""] = await shardIds();
  start(ctx, handle, { onShards: (open, ended) => void listed.push([open.join(), ended.join()]) });
  await waitUntil(() => got.length === 3);
  await ctx.kinesis.send(new MergeShardsCommand({ StreamName, ShardToMerge: left, AdjacentShardToMerge: right }));
  await waitUntil(async () => (await shardIds()).length === 4);
  await put(ctx, 0, "b");
  await waitUntil(() => got.length === 4);
  expect(got[0]).toMatchObject({ shard: whole, text: "a", state: [] });
  expect(got.slice(1, 3).map(({ state }) => state)).toEqual([["a"], ["a"]]);
  expect(got[3]?.state).toEqual(["a", "a", "left", "right"]);
  expect(listed[0]).toEqual([[whole, left, right].join(), ""]);
  await waitUntil(() => listed.at(-1)?.[1] === [whole, left, right].join());
});

test("a shard that was split before it ever held anything is left, and its children are read", async () => {
  const ctx = await createContext(1);
  const StreamName = ctx.config.LIVORA_STREAM_EVENTS;
  const got: string[] = [];
  const consumer = start(ctx, async (batch: StreamBatch<Seen>): Promise<Seen> => {
    got.push(...textsOf(batch));
    return [];
  });
  await waitUntil(() => consumer.shards().length === 1);
  const [whole] = await listShards(ctx.kinesis, StreamName);
  const NewStartingHashKey = (1n << 127n).toString();
  await ctx.kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit: whole?.id, NewStartingHashKey }));
  await waitUntil(async () => (await listShards(ctx.kinesis, StreamName)).length === 3);
  await put(ctx, 0, "left");
  await put(ctx, LANES - 1, "right");
  await waitUntil(() => got.length === 2);
  expect(got.toSorted()).toEqual(["left", "right"]);
});

test("progress is told only once what was acknowledged before is handled", async () => {
  const ctx = await createContext(1);
  const gate = Promise.withResolvers<void>();
  const handled: string[] = [];
  let upToMs = 0;
  start(
    ctx,
    async (batch) => {
      await gate.promise;
      handled.push(...textsOf(batch));
      return [];
    },
    { onProgress: (progress) => (upToMs = Math.max(upToMs, progress.upToMs)) },
  );
  await waitUntil(() => upToMs > 0);
  await put(ctx, 0, "a");
  const acknowledgedAtMs = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(handled).toEqual([]);
  expect(upToMs).toBeLessThanOrEqual(acknowledgedAtMs);
  gate.resolve();
  await waitUntil(() => upToMs > acknowledgedAtMs);
  expect(handled).toEqual(["a"]);
});
