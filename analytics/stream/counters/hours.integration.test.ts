import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, expect, test } from "vitest";

import { withinHour } from "../../../core/live-hour.ts";
import { HOUR_MS } from "../../../core/time.ts";
import type { Context } from "../../../platform/context.ts";
import { createHotKeyWatch } from "../../../platform/hot-keys.ts";
import { readLiveCounters, readLiveHours } from "../../../platform/live-counters.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";
import { createUserStore, type UserStore } from "../../../platform/user-store.ts";
import { createIsolatedContext } from "../../../test/support/context.ts";
import { makeEnriched, toEntry } from "../../../test/support/enriched-events.ts";
import { type CountersDeps, type CountersState, createCountersConsumer } from "./consumer.ts";

let ctx: Context;
beforeAll(async () => {
  ctx = await createIsolatedContext();
});
afterAll(() => ctx.close());

const START = Date.parse("2026-11-21T10:00:00Z");
const signal = new AbortController().signal;
const WHOLE = [START, START + HOUR_MS] as const;

/** Purchases of 0.10 rupees each, one a minute. */
function entriesOf(clientId: string, count: number, from = 0): StreamEntry[] {
  return Array.from({ length: count }, (_, nth) => {
    const number = from + nth;
    const timestampMs = START + (number % 60) * 60_000;
    const event = { event_type: "purchase", props: { revenue: "0.10", currency: "INR" } };
    const enrichment = { event_type: "purchase" };
    return toEntry(makeEnriched({ clientId, number, timestampMs, event, enrichment }), number);
  });
}

const host = (shard: string, deps: CountersDeps = {}) => {
  const consumer = createCountersConsumer(ctx, { now: () => START + HOUR_MS, ...deps });
  return (entries: StreamEntry[], state?: CountersState) => consumer.handle({ shard, entries, state, signal });
};

async function readHour(client: string) {
  const hours = await readLiveHours(createUserStore(ctx), client, [START]);
  return withinHour(hours.get(START)!, START, WHOLE);
}

test("hours have what the minutes have, with the money, by quarter, over all shards", async () => {
  const client = randomUUID();
  await host("shard-0")(entriesOf(client, 60));
  await host("shard-1")(entriesOf(client, 10, 100));
  expect(await readHour(client)).toMatchObject({ events: 70, purchases: 70, revenue: { INR: 700 } });
  const hours = await readLiveHours(createUserStore(ctx), client, [START, START + HOUR_MS]);
  expect(withinHour(hours.get(START)!, START, [START, START + HOUR_MS / 2])).toMatchObject({ events: 30 });
  expect(hours.get(START + HOUR_MS)).toEqual({});
});

test.each(["2026-11-21", "2026-11-21T10:00Z"])(
  "a batch of which %s could not be written comes again, cut in any way, and counts nothing twice",
  async (owner) => {
    const client = randomUUID();
    const entries = entriesOf(client, 60);
    const store = createUserStore(ctx);
    const failing: UserStore = {
      ...store,
      replace: (key, item) => (key.owner === owner ? Promise.reject(new Error("gone")) : store.replace(key, item)),
    };
    await expect(host("shard-0", { store: failing })(entries)).rejects.toThrow("gone");
    await host("shard-0")(entries.slice(0, 20));
    await host("shard-0")(entries);
    expect(await readHour(client)).toMatchObject({ events: 60, revenue: { INR: 600 } });
    const range = { from: "2026-11-21T10:00:00Z", to: "2026-11-21T10:59:59Z" };
    const minutes = await readLiveCounters(store, client, range);
    expect(minutes.reduce((sum, { counts }) => sum + (counts["purchase"] ?? 0), 0)).toBe(60);
  },
);

test("those of a hot client are spread, and read as if they were not", async () => {
  const client = randomUUID();
  const watch = { ...createHotKeyWatch(ctx.redis), rateOf: () => 1_000 };
  await host("shard-0", { watch })(entriesOf(client, 60));
  // Cold by now: who was there first has decided.
  await host("shard-0")(entriesOf(client, 20, 60));
  expect(await readHour(client)).toMatchObject({ events: 80, revenue: { INR: 800 } });
});
