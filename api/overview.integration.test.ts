import { randomUUID } from "node:crypto";

import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import type { EtlDeps } from "../analytics/etl/deps.ts";
import { runEtl } from "../analytics/etl/run-etl.ts";
import { overviewSchema } from "../analytics/reports/overview.ts";
import { readActivity } from "../analytics/reports/read-activity.ts";
import { createCountersConsumer } from "../analytics/stream/counters/consumer.ts";
import { createLakeConsumer } from "../analytics/stream/lake/consumer.ts";
import { formatApiKey } from "../core/api-key.ts";
import { boundsOfDay, dayIn } from "../core/calendar-day.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../core/time.ts";
import { ensureApiKey, ensureClient } from "../crm/ensure-client.ts";
import type { Context } from "../platform/context.ts";
import { createLake } from "../platform/lake/lake.ts";
import { clients } from "../platform/postgres/schema.ts";
import { runConsumer } from "../platform/stream/consumer.ts";
import { createUserStore } from "../platform/user-store.ts";
import { openWarehouse } from "../platform/warehouse/open-warehouse.ts";
import { startTestApi } from "../test/support/api.ts";
import { createIsolatedContext } from "../test/support/context.ts";
import { makeEnriched, toEntry } from "../test/support/enriched-events.ts";
import { setUpEnrich } from "../test/support/enrich-setup.ts";
import { waitUntil } from "../test/support/wait-until.ts";

const ZONE = "Asia/Kolkata";
/** However slow the machine is. */
const SOON = { timeoutMs: 60_000 };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const at = (ms: number) => new Date(ms).toISOString();

function openEtl(ctx: Context): EtlDeps & { close(): Promise<void> } {
  const lake = createLake(ctx.config.LIVORA_LAKE);
  const warehouse = openWarehouse(lake, { name: "overview", memoryLimit: "256MB" });
  return { ctx, lake, warehouse, close: () => warehouse.close() };
}

test("a purchase is in the overview as soon as the stream has counted it, and once, whatever ETL does then", async () => {
  const setup = await setUpEnrich(closing as (() => Promise<void>)[], 1);
  const { ctx, client } = setup;
  const t = await startTestApi(ctx.config);
  closing.push(() => t.close());
  const api_key = formatApiKey(client, crypto.getRandomValues(new Uint8Array(24)));
  await ensureClient(t.api, { client_id: client, name: client });
  await ensureApiKey(t.api, { client_id: client, api_key });
  await setup.enrich();
  const counters = runConsumer(ctx, createCountersConsumer(ctx));
  const lake = runConsumer(ctx, { ...createLakeConsumer(ctx), lingerMs: 200 });
  closing.push(() => Promise.all([counters.stop(), lake.stop()]));
  const etl = openEtl(ctx);
  closing.push(() => etl.close());

  const nowMs = Date.now();
  const days = `start=${at(nowMs - DAY_MS).slice(0, 10)}&end=${at(nowMs + DAY_MS).slice(0, 10)}`;
  const overview = async () => {
    const { status, body } = await t.call("GET", `/api/v1/analytics/overview?${days}`, { key: api_key });
    expect(status).toBe(200);
    return overviewSchema.parse(body);
  };
  const buy = (atMs: number, revenue: string) =>
    setup.send({ event_type: "purchase", timestamp: at(atMs), props: { revenue, currency: "INR" } });
  const inLake = async () => (await ctx.db.query.lakeFiles.findMany()).filter((file) => file.client_id === client);
  const rows = async () => (await inLake()).reduce((sum, file) => sum + file.rows, 0);

  await setup.send({ event_type: "product_view", timestamp: at(nowMs), props: { product_id: "p" } });
  await buy(nowMs, "129.50");
  await waitUntil(async () => (await overview()).events === 2, SOON);
  const first = await overview();
  expect(first).toMatchObject({ events: 2, product_views: 1, orders: 1, revenue: { INR: 12_950 }, as_of: null });
  expect(first).toMatchObject({ sessions: 0, live_since: `${at(nowMs).slice(0, 13)}:00:00.000Z` });

  await waitUntil(async () => (await rows()) === 2, SOON);
  expect(await overview()).toMatchObject({ events: 2, orders: 1, revenue: { INR: 12_950 } });
  await runEtl(etl, { client_id: client, run_id: randomUUID() });
  // Answers are kept for a second.
  await waitUntil(async () => (await overview()).live_since === null, SOON);
  const built = await overview();
  expect(built).toMatchObject({ events: 2, orders: 1, revenue: { INR: 12_950 }, live_hours: [] });
  expect(built).toMatchObject({
    sessions: 1,
    visitors: 1,
    new_visitors: 1,
    conversion_rate: 1,
    previous: { events: 0 },
  });

  // Late, into an hour that is built.
  await buy(nowMs, "0.50");
  await waitUntil(async () => (await overview()).orders === 2, SOON);
  expect(await overview()).toMatchObject({ events: 3, revenue: { INR: 13_000 }, live_since: first.live_since });
  await waitUntil(async () => (await rows()) === 3, SOON);
  expect(await overview()).toMatchObject({ events: 3, orders: 2 });
  await runEtl(etl, { client_id: client, run_id: randomUUID() });
  await waitUntil(async () => (await overview()).live_since === null, SOON);
  expect(await overview()).toMatchObject({ events: 3, orders: 2, revenue: { INR: 13_000 } });
}, 240_000);

describe("whatever comes when", () => {
  let ctx: Context;
  let etl: ReturnType<typeof openEtl>;
  beforeAll(async () => {
    ctx = await createIsolatedContext();
    etl = openEtl(ctx);
  });
  afterAll(async () => {
    await etl.close();
    await ctx.close();
  });

  /** A minute of one of three hours: this one, that in the midst of which the day began, and one of the day before. */
  const made = fc.record({ hour: fc.nat(2), minute: fc.nat(59), kind: fc.nat(3), minor: fc.nat(99_999) });
  const step = fc.record({
    events: fc.array(made, { minLength: 1, maxLength: 25 }),
    isInLake: fc.boolean(),
    isRun: fc.boolean(),
  });
  const TYPES = ["product_view", "add_to_cart", "purchase", "page_view"];

  test("each day has all events that were taken, at every moment", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 4 }), async (steps) => {
        const client_id = `overview-${randomUUID()}`;
        await ctx.db.insert(clients).values({ id: client_id, name: client_id, settings: { timezone: ZONE } });
        const nowMs = Date.now();
        const midnightMs = boundsOfDay(ZONE, dayIn(ZONE, nowMs))[0];
        const hours = [nowMs, midnightMs, midnightMs - 5 * HOUR_MS].map((ms) => Math.floor(ms / HOUR_MS) * HOUR_MS);
        const signal = new AbortController().signal;
        const counters = createCountersConsumer(ctx);
        const lake = createLakeConsumer(ctx);
        const taken: { day: string; kind: number; minor: number }[] = [];
        let number = 0;
        let waiting: ReturnType<typeof toEntry>[] = [];
        const days = { start: dayIn(ZONE, nowMs - 3 * DAY_MS), end: dayIn(ZONE, nowMs + DAY_MS), timeZone: ZONE };
        const isRight = async () => {
          const read = <T>(work: Parameters<typeof ctx.db.transaction<T>>[0]) => ctx.db.transaction(work);
          const found = await readActivity({ read, store: createUserStore(ctx), nowMs }, client_id, days);
          for (const [day, activity] of found.days) {
            const ofDay = taken.filter((one) => one.day === day);
            const bought = ofDay.filter(({ kind }) => kind === 2);
            expect({ day, ...activity }).toEqual({
              day,
              events: ofDay.length,
              product_views: ofDay.filter(({ kind }) => kind === 0).length,
              add_to_cart: ofDay.filter(({ kind }) => kind === 1).length,
              purchases: bought.length,
              revenue: bought.length === 0 ? {} : { INR: bought.reduce((sum, { minor }) => sum + minor, 0) },
            });
          }
          return found.liveHours.length;
        };
        const run = () => runEtl(etl, { client_id, run_id: randomUUID() });
        const write = async (entries: typeof waiting) => {
          if (entries.length > 0) await lake.handle({ shard: "s", entries, state: undefined, signal });
        };
        for (const { events, isInLake, isRun } of steps) {
          // No two batches of the stream share a record.
          number = (Math.floor(number / 10) + 1) * 10;
          const entries = events.map(({ hour, minute, kind, minor }) => {
            const timestampMs = Math.min(nowMs, hours[hour]! + minute * MINUTE_MS);
            taken.push({ day: dayIn(ZONE, timestampMs), kind, minor });
            const event = {
              event_type: TYPES[kind],
              props: { revenue: (minor / 100).toFixed(2), currency: "INR", product_id: "p" },
            };
            number++;
            const enrichment = { event_type: TYPES[kind]! };
            return toEntry(makeEnriched({ clientId: client_id, number, timestampMs, event, enrichment }), number);
          });
          await counters.handle({ shard: "s", entries, state: undefined, signal });
          await isRight();
          waiting.push(...entries);
          if (isInLake) {
            await write(waiting);
            waiting = [];
            await isRight();
          }
          if (isRun) {
            await run();
            await isRight();
          }
        }
        await write(waiting);
        await isRight();
        await run();
        expect(await isRight()).toBe(0);
      }),
      { numRuns: 2, endOnFailure: true },
    );
  }, 240_000);
});
