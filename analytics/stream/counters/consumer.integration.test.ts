import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { type Enrichment } from "../../../core/enriched-event.ts";
import type { Context } from "../../../platform/context.ts";
import { readLiveCounters } from "../../../platform/live-counters.ts";
import { migrate } from "../../../platform/postgres/migrate.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";
import { createUserStore } from "../../../platform/user-store.ts";
import { createTestContext } from "../../../test/support/context.ts";
import { makeEnriched, toEntry } from "../../../test/support/enriched-events.ts";
import { type CountersState, createCountersConsumer } from "./consumer.ts";

let ctx: Context;
beforeAll(async () => {
  await migrate(inject("config").LIVORA_POSTGRES_URL);
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

function createHost(shard: string) {
  const consumer = createCountersConsumer(ctx);
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
