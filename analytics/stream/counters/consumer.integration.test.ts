import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { encodeEnriched, type Enrichment, readEnrichment } from "../../../core/enriched-event.ts";
import { DAY_MS } from "../../../core/time.ts";
import type { Context } from "../../../platform/context.ts";
import { meterWrites } from "../../../platform/metered-store.ts";
import { isSpread, readLiveCounters } from "../../../platform/live-counters.ts";
import { createHotKeyWatch, readHotKeys } from "../../../platform/hot-keys.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";
import { createUserStore, type ItemKey, type StoredItem, type UserStore } from "../../../platform/user-store.ts";
import { createTestContext } from "../../../test/support/context.ts";
import { makeEnriched, toEntry } from "../../../test/support/enriched-events.ts";
import { type CountersDeps, type CountersState, createCountersConsumer } from "./consumer.ts";

let ctx: Context;
beforeAll(async () => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());

const START = Date.parse("2026-11-21T10:00:00Z");
const range = { from: "2026-11-21T10:00:00Z", to: "2026-11-21T10:01:59Z" };

function entriesOf(clientId: string, count: number, from = 0, enrichment: Partial<Enrichment> = {}): StreamEntry[] {
  return Array.from({ length: count }, (_, n) => {
    const timestampMs = START + ((from + n) % 2) * 60_000;
    return toEntry(makeEnriched({ clientId, number: from + n, timestampMs, enrichment }), from + n);
  });
}

const sumOf = (counts: Readonly<Record<string, number>> = {}) => Object.values(counts).reduce((sum, n) => sum + n, 0);

function createHost(shard: string, deps: CountersDeps = {}) {
  const consumer = createCountersConsumer(ctx, { now: () => START + 120_000, ...deps });
  const signal = new AbortController().signal;
  return (entries: StreamEntry[], state?: CountersState) => consumer.handle({ shard, entries, state, signal });
}

test("counts by client, minute and type, over all shards", async () => {
  const client = randomUUID();
  await createHost("shard-0")([...entriesOf(client, 40), ...entriesOf(`${client}-other`, 7, 40)]);
  await createHost("shard-1")(entriesOf(client, 20, 100, { lane: 15 }));
  const counters = await readLiveCounters(createUserStore(ctx), client, range);
  expect(counters).toEqual([
    { minute: "2026-11-21T10:00Z", counts: { page_view: 15, add_to_cart: 15 } },
    { minute: "2026-11-21T10:01Z", counts: { product_view: 15, purchase: 15 } },
  ]);
});

test("minutes that would have expired are not counted: history comes by, too", async () => {
  const client = randomUUID();
  await createHost("shard-0", { now: () => START + 7 * DAY_MS + 1_000 })(entriesOf(client, 40));
  const counters = await readLiveCounters(createUserStore(ctx), client, range);
  expect(counters.map(({ counts }) => sumOf(counts))).toEqual([0, 20]);
});

test("a batch tried again by another process, cut in any way, counts nothing twice", async () => {
  const client = randomUUID();
  const entries = entriesOf(client, 60);
  const state = await createHost("shard-0")(entries.slice(0, 20));
  // Written, but the checkpoint was not.
  await createHost("shard-0")(entries.slice(20, 50), state);
  const next = await createHost("shard-0")(entries.slice(20, 35), state);
  await createHost("shard-0")(entries.slice(35), next);
  const counters = await readLiveCounters(createUserStore(ctx), client, range);
  expect(counters.map(({ counts }) => sumOf(counts))).toEqual([30, 30]);
});

test("what the enricher emits again is not counted again, also after the shard has split", async () => {
  const client = randomUUID();
  const entries = entriesOf(client, 30);
  const state = await createHost("parent")(entries);
  await createHost("child")([...entries.slice(10), ...entriesOf(client, 5, 30)], state);
  const counters = await readLiveCounters(createUserStore(ctx), client, range);
  expect(counters.map(({ counts }) => sumOf(counts)).reduce((a, b) => a + b)).toBe(35);
});

test("an event whose own bytes are broken is counted like any other, and one that was put back for another consumer is not", async () => {
  const client = randomUUID();
  const [good, other, late] = entriesOf(client, 3) as [StreamEntry, StreamEntry, StreamEntry];
  const line = other.data.subarray(0, other.data.indexOf("\n") + 1);
  const broken = { ...other, data: Buffer.concat([line, Buffer.from([0x7b, 0xff])]) };
  const { enrichment, raw } = readEnrichment(late.data)!;
  const mark = { letter_id: randomUUID(), replay_id: randomUUID(), stage: "automation" };
  const replayed = { ...late, data: encodeEnriched({ ...enrichment, replay: mark }, raw) };
  await createHost("shard-0")([good, broken, replayed]);
  const counters = await readLiveCounters(createUserStore(ctx), client, range);
  expect(counters.map(({ counts }) => sumOf(counts))).toEqual([1, 1]);
});

/** Says that every client is as hot as that. */
const heat = (unitsPerS: number) => ({ watch: { ...createHotKeyWatch(ctx.redis), rateOf: () => unitsPerS } });
const HOT = 1_000;

/** Partitions that were written to, with how many units. */
function createMeter() {
  const units = new Map<string, number>();
  const store: UserStore = createUserStore(ctx);
  return {
    units,
    store: {
      ...store,
      replace(key: ItemKey, item: StoredItem) {
        units.set(key.owner, (units.get(key.owner) ?? 0) + 1);
        return store.replace(key, item);
      },
    },
  };
}

describe("a hot client's counters", () => {
  test("are spread over partitions, and read as if they were not", async () => {
    const client = randomUUID();
    const { units, store } = createMeter();
    for (let lane = 0; lane < 16; lane++) {
      const host = createHost(`shard-${lane}`, { store, ...heat(HOT) });
      let state: CountersState | undefined;
      for (let batch = 0; batch < 5; batch++) {
        state = await host(entriesOf(client, 20, lane * 1_000 + batch * 20, { lane }), state);
      }
    }
    const counters = await readLiveCounters(createUserStore(ctx), client, range);
    expect(counters.map(({ counts }) => sumOf(counts))).toEqual([800, 800]);
    const minute = [...units].filter(([owner]) => owner.startsWith("2026-11-21T10:00Z"));
    // A mark for each shard, once; everything else lies elsewhere.
    expect(units.get("2026-11-21T10:00Z")).toBe(16);
    expect(minute.length).toBeGreaterThan(8);
    expect(Math.max(...minute.map(([, written]) => written))).toBeLessThan(40);
  });

  test("which is found to be hot half-way through a minute, or no longer, is counted once", async () => {
    const client = randomUUID();
    const entries = entriesOf(client, 80);
    const cold = await createHost("shard-0")(entries.slice(0, 20));
    const hot = await createHost("shard-0", heat(HOT))(entries.slice(20, 40), cold);
    await createHost("shard-1", heat(HOT))(entriesOf(client, 10, 500, { lane: 9 }));
    // The same batch again, by a process that knows nothing of any heat.
    await createHost("shard-1")(entriesOf(client, 10, 500, { lane: 9 }));
    await createHost("shard-0")(entries.slice(40), hot);
    const counters = await readLiveCounters(createUserStore(ctx), client, range);
    expect(counters.map(({ counts }) => sumOf(counts))).toEqual([45, 45]);
  });

  test("a process that has lost its shard, and knows of no spread, counts nothing twice", async () => {
    const client = randomUUID();
    const entries = entriesOf(client, 40);
    const store = createUserStore(ctx);
    // It has read the place as empty before its successor marks it.
    let successor: Promise<unknown> | undefined;
    const slow: UserStore = {
      ...store,
      async replace(key, item) {
        await (successor ??= createHost("shard-7", heat(HOT))(entries));
        return store.replace(key, item);
      },
    };
    const zombie = createHost("shard-7", { store: slow });
    await expect(zombie(entries)).rejects.toThrow("elsewhere");
    await zombie(entries);
    const counters = await readLiveCounters(store, client, range);
    expect(counters.map(({ counts }) => sumOf(counts)).reduce((a, b) => a + b)).toBe(40);
  });

  test("the meter finds them by itself", async () => {
    const client = randomUUID();
    const watch = createHotKeyWatch(ctx.redis);
    const store = meterWrites(createUserStore(ctx), watch);
    const host = createHost("shard-0", { store, watch, spreadAbove: 3 });
    for (let batch = 0; batch < 20; batch++) await host(entriesOf(client, 4, batch * 4));
    expect(watch.rateOf("user_store", client, "COUNTER")).toBeGreaterThan(3);
    await createHost("shard-1", { store, watch, spreadAbove: 3 })(entriesOf(client, 4, 900, { lane: 15 }));
    const base = { client, kind: "COUNTER", owner: "2026-11-21T10:00Z" } as const;
    const marks = await createUserStore(ctx).list(base, "SHARD#");
    expect(marks.filter(({ item }) => isSpread(item.data)).map(({ sort }) => sort)).toEqual(["SHARD#shard-1"]);
    const counters = await readLiveCounters(createUserStore(ctx), client, range);
    expect(counters.map(({ counts }) => sumOf(counts)).reduce((a, b) => a + b)).toBe(84);
    expect(watch.top("user_store")[0]).toMatchObject({ client_id: client, key: "COUNTER", share: 1 });
  });
});

test("what is hot is told to all, and forgotten soon", async () => {
  const client = randomUUID();
  const watch = createHotKeyWatch(ctx.redis);
  for (let n = 0; n < 100; n++) watch.note("stream", client, n % 2 === 0 ? "bot" : `s-${n}`, 1_000);
  await watch.publish();
  const mine = async (atMs: number) =>
    (await readHotKeys(ctx.redis, atMs)).stream.filter(({ client_id }) => client_id === client);
  expect((await mine(Date.now()))[0]).toMatchObject({ key: "bot", share: 0.5 });
  expect(await mine(Date.now() + 120_000)).toEqual([]);
});
