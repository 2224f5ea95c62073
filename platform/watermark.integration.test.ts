import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { createIsolatedContext } from "../test/support/context.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import type { Context } from "./context.ts";
import { publishWatermark, readWatermark, watermarkKey } from "./watermark.ts";

let ctx: Context;
beforeAll(async () => {
  ctx = await createIsolatedContext();
});
beforeEach(async () => {
  await ctx.redis.del(watermarkKey("enrich"));
});
afterAll(() => ctx.close());

const read = () => readWatermark(ctx.redis, "enrich");
const publish = () =>
  publishWatermark(ctx.redis, "enrich", (error) => {
    throw error;
  });

test("nothing is known before every open shard has told", async () => {
  const { onShards, onProgress } = publish();
  expect(await read()).toBe(0);
  await onShards?.(["a", "b"], []);
  onProgress?.({ shard: "a", upToMs: 200 });
  await waitUntil(async () => (await ctx.redis.hget(watermarkKey("enrich"), "a")) === "200");
  expect(await read()).toBe(0);
  onProgress?.({ shard: "b", upToMs: 100 });
  await waitUntil(async () => (await read()) === 100);
});

test("a shard that ended holds nobody up, its children do until they have told", async () => {
  const { onShards, onProgress } = publish();
  await onShards?.(["a"], []);
  onProgress?.({ shard: "a", upToMs: 100 });
  await waitUntil(async () => (await read()) === 100);
  await onShards?.(["b", "c"], ["a"]);
  expect(await read()).toBe(0);
  onProgress?.({ shard: "b", upToMs: 300 });
  onProgress?.({ shard: "c", upToMs: 400 });
  await waitUntil(async () => (await read()) === 300);
});

test("never goes backwards by a late word, and after Redis lost everything it begins at nothing", async () => {
  const { onShards, onProgress } = publish();
  await onShards?.(["a", "b"], []);
  onProgress?.({ shard: "a", upToMs: 500 });
  onProgress?.({ shard: "b", upToMs: 500 });
  await waitUntil(async () => (await read()) === 500);
  onProgress?.({ shard: "a", upToMs: 400 });
  await ctx.redis.ping();
  expect(await read()).toBe(500);
  await ctx.redis.del(watermarkKey("enrich"));
  onProgress?.({ shard: "a", upToMs: 600 });
  await ctx.redis.ping();
  expect(await read()).toBe(0);
});
