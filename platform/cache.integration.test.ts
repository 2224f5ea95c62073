import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createTestContext } from "../test/support/context.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { type Cache, createCache, forgetCached } from "./cache.ts";
import type { Context } from "./context.ts";
import { createLogger } from "./logger.ts";

const LONG = { freshMs: 60_000, keptMs: 300_000 };
/** A machine that is busy with other things is no Redis that is away. */
const PATIENT = { patienceMs: 30_000 };
const text = { encode: (value: string) => value, decode: (kept: string) => kept };
let ctx: Context;
/** As two processes have them. */
let caches: [Cache, Cache];
let clientId: string;

beforeAll(() => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());
beforeEach(() => {
  clientId = `cache-${crypto.randomUUID()}`;
  caches = [createCache(ctx, PATIENT), createCache(ctx, PATIENT)];
});

/** Answers what `compute` makes of how often it was asked. */
function asker(make: (nth: number) => Promise<string> | string = (nth) => `answer ${nth}`) {
  let asked = 0;
  const ask = (cache: Cache, { client = clientId, key = "key", policy = LONG } = {}) =>
    cache.fetch({ clientId: client, key, policy, compute: async () => make(++asked), ...text });
  return { ask, count: () => asked };
}

test("of many who miss at once, in two processes, one computes", async () => {
  const gate = Promise.withResolvers<void>();
  const { ask, count } = asker(async (nth) => gate.promise.then(() => `answer ${nth}`));
  const asked = Array.from({ length: 60 }, (_, nth) => ask(caches[nth % 2]!));
  await waitUntil(() => count() > 0);
  gate.resolve();
  expect(new Set((await Promise.all(asked)).map(({ value }) => value))).toEqual(new Set(["answer 1"]));
  expect(count()).toBe(1);
  expect(await ask(caches[1])).toMatchObject({ value: "answer 1", outcome: "hit" });
});

test("another client, another key, another answer", async () => {
  const { ask } = asker();
  const values = [];
  for (const place of [{}, { client: `${clientId}-2` }, { key: "other" }, {}]) {
    values.push((await ask(caches[0], place)).value);
  }
  expect(values).toEqual(["answer 1", "answer 2", "answer 3", "answer 1"]);
});

test("after forgetting, nothing counts that was computed before, not even what is written later", async () => {
  const { ask } = asker();
  expect((await ask(caches[0])).value).toBe("answer 1");
  await forgetCached(ctx.redis, clientId);
  expect((await ask(caches[0])).value).toBe("answer 2");

  const gate = Promise.withResolvers<void>();
  const late = asker(async () => gate.promise.then(() => "old"));
  const begun = late.ask(caches[0], { key: "late" });
  await waitUntil(() => late.count() === 1);
  await forgetCached(ctx.redis, clientId);
  // Who asks now does not wait for what was begun before.
  const fresh = asker(() => "new");
  expect((await fresh.ask(caches[0], { key: "late" })).value).toBe("new");
  gate.resolve();
  expect((await begun).value).toBe("old");
  expect((await asker(() => "new").ask(caches[1], { key: "late" })).value).toBe("new");
});

test("what is no longer fresh is handed out once more, and computed anew meanwhile, by one", async () => {
  const policy = { freshMs: 0, keptMs: 60_000 };
  await asker().ask(caches[0], { policy });
  const gate = Promise.withResolvers<void>();
  const anew = asker(async (nth) => gate.promise.then(() => `newer ${nth}`));
  const stale = await Promise.all(Array.from({ length: 20 }, () => anew.ask(caches[0], { policy })));
  expect(new Set(stale.map(({ value, outcome }) => `${value} ${outcome}`))).toEqual(new Set(["answer 1 stale"]));
  await waitUntil(() => anew.count() === 1);
  gate.resolve();
  // Who looks thus finds it fresh, and sets nobody to work.
  const look = async () => (await anew.ask(caches[1], { policy: { freshMs: 60_000, keptMs: 60_000 } })).value;
  await waitUntil(async () => (await look()) === "newer 1");
  expect(anew.count()).toBe(1);
});

describe("what fails is not kept", () => {
  test("all who wait are told, the next one computes", async () => {
    const { ask, count } = asker((nth) => (nth === 1 ? Promise.reject(new Error("no")) : `answer ${nth}`));
    const gate = await Promise.allSettled([ask(caches[0]), ask(caches[0])]);
    expect(gate.map(({ status }) => status)).toContain("rejected");
    expect((await ask(caches[1])).value).toMatch(/answer/);
    expect(count()).toBeGreaterThan(1);
  });

  test("nor what says that it is not to be kept", async () => {
    let asked = 0;
    const compute = async () => `answer ${++asked}`;
    const question = { clientId, key: "key", policy: LONG, compute, encode: () => undefined, decode: text.decode };
    expect((await caches[0].fetch(question)).value).toBe("answer 1");
    expect((await caches[1].fetch(question)).value).toBe("answer 2");
  });
});

describe("a Redis", () => {
  test("that was emptied costs one computation more", async () => {
    const { ask } = asker();
    await ask(caches[0]);
    const keys = await ctx.redis.keys(`livora:cache:{${clientId}}:*`);
    expect(keys.length).toBe(2);
    await ctx.redis.del(keys);
    expect((await ask(caches[0])).value).toBe("answer 2");
    expect((await ask(caches[1])).value).toBe("answer 2");
  });

  test("that is away costs nobody the answer, and those who ask at once still share one", async () => {
    const redis = new Redis("redis://127.0.0.1:1", { lazyConnect: true, maxRetriesPerRequest: 0 });
    redis.on("error", () => {});
    const cache = createCache({
      redis,
      log: createLogger("test", { ...ctx.config, LIVORA_LOG_LEVEL: "silent" }),
    });
    try {
      // What it costs to find out that it is away.
      await asker().ask(cache);
      const gate = Promise.withResolvers<void>();
      const { ask, count } = asker(async (nth) => gate.promise.then(() => `answer ${nth}`));
      const asked = Promise.all(Array.from({ length: 20 }, () => ask(cache)));
      await waitUntil(() => count() > 0);
      gate.resolve();
      expect(new Set((await asked).map(({ value }) => value))).toEqual(new Set(["answer 1"]));
      expect((await ask(cache)).value).toBe("answer 2");
    } finally {
      redis.disconnect();
    }
  });

  test("that goes away while it is computed costs nobody the answer", async () => {
    const redis = ctx.redis.duplicate();
    redis.on("error", () => {});
    const cache = createCache({
      redis,
      log: createLogger("test", { ...ctx.config, LIVORA_LOG_LEVEL: "silent" }),
    });
    const { ask } = asker((nth) => {
      redis.disconnect();
      return `answer ${nth}`;
    });
    expect((await ask(cache)).value).toBe("answer 1");
  });
});
