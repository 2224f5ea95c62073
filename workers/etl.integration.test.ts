import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";

import { ScheduleClient } from "@temporalio/client";
import { and, eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { reportSources } from "../analytics/reports/sources.ts";
import { createLakeConsumer } from "../analytics/stream/lake/consumer.ts";
import { ETL_TASK_QUEUE, ETL_WORKFLOW, type EtlCheck, type EtlInput, etlScheduleId } from "../core/contracts/etl.ts";
import { partitionOf } from "../core/lake.ts";
import { DAY_MS } from "../core/time.ts";
import type { Context } from "../platform/context.ts";
import { createLake, type Lake } from "../platform/lake/lake.ts";
import { audits, builds, clients, etlPartitions, etlRuns } from "../platform/postgres/schema.ts";
import { createIsolatedContext } from "../test/support/context.ts";
import { makeEnriched, toEntry } from "../test/support/enriched-events.ts";
import { stackConfig } from "../test/support/stack-config.ts";
import { createTemporalNamespace } from "../test/support/temporal-namespace.ts";
import { startTemporalWorker, type TemporalWorker } from "../test/support/temporal-worker.ts";
import { createEtlWorker } from "./etl.ts";
import { ensureEtlSchedules } from "./keep-etl-schedules.ts";

const HOUR = Date.parse("2026-11-19T15:00:00.000Z");
let ctx: Context;
let lake: Lake;
let worker: TemporalWorker;

beforeAll(async () => {
  const { LIVORA_TEMPORAL_ADDRESS: address } = stackConfig();
  ctx = await createIsolatedContext({ LIVORA_TEMPORAL_NAMESPACE: await createTemporalNamespace(address) });
  lake = createLake(ctx.config.LIVORA_LAKE);
  worker = await startTemporalWorker(ctx.config, (connection) => createEtlWorker(ctx, connection));
});
afterAll(async () => {
  await worker.close();
  await ctx.close();
});

async function makeClient(): Promise<string> {
  const id = `etl-worker-${randomUUID()}`;
  await ctx.db.insert(clients).values({ id, name: id });
  return id;
}

/** Forty events from a number on: ten of each kind, each product's purchase 1,000 minor units and something. */
async function append(clientId: string, from: number, timestampMs: number): Promise<void> {
  const entries = Array.from({ length: 40 }, (_, i) => {
    const number = from + i;
    return toEntry(makeEnriched({ clientId, number, timestampMs: timestampMs + i }), number);
  });
  const signal = new AbortController().signal;
  await createLakeConsumer(ctx).handle({ shard: "shardId-000000000000", entries, state: undefined, signal });
}

async function run(client_id: string, more: Partial<EtlInput> = {}) {
  const run_id = randomUUID();
  const options = { taskQueue: ETL_TASK_QUEUE, workflowId: `etl:${client_id}:${run_id}` };
  await worker.client.workflow.execute(ETL_WORKFLOW, { ...options, args: [{ client_id, run_id, ...more }] });
  return ctx.db.query.etlRuns.findFirst({ where: eq(etlRuns.id, run_id) });
}

async function countPurchases(clientId: string): Promise<Record<string, number>> {
  const rows = await ctx.db.execute<{ day: string; n: number }>(sql`
    select day::text, sum(purchases)::int as n from analytics.product_performance_daily
    where client_id = ${clientId} group by day order by day`);
  return Object.fromEntries(rows.map(({ day, n }) => [day, n]));
}

const readBuilds = (clientId: string, day: string) =>
  ctx.db
    .select()
    .from(builds)
    .where(and(eq(builds.client_id, clientId), eq(builds.day, day), eq(builds.aggregate, "sessions_daily")));

const readFailed = (checks: readonly EtlCheck[] = []) =>
  checks.filter(({ check, state }) => state === "failed" && check === "completeness").flatMap(({ details }) => details);

describe("the worker of ETL", () => {
  it("computes what has changed and nothing else; a file that cannot be read holds its hour back", async () => {
    const clientId = await makeClient();
    for (let day = 0; day < 3; day++) await append(clientId, day * 1_000, HOUR + day * DAY_MS);
    const first = await run(clientId);
    expect(first).toMatchObject({
      state: "done",
      progress: { partitions: { done: 3, total: 3 }, days: { done: 3, total: 3 } },
    });
    expect(first?.checks.map(({ check, state }) => [check, state])).toContainEqual(["completeness", "passed"]);
    expect(await countPurchases(clientId)).toEqual({ "2026-11-19": 10, "2026-11-20": 10, "2026-11-21": 10 });

    expect((await run(clientId))?.progress).toEqual({ partitions: { done: 0, total: 0 }, days: { done: 0, total: 0 } });

    const before = await readBuilds(clientId, "2026-11-19");
    await append(clientId, 5_000, HOUR + DAY_MS);
    expect((await run(clientId))?.progress.days).toEqual({ done: 1, total: 1 });
    expect(await countPurchases(clientId)).toMatchObject({ "2026-11-19": 10, "2026-11-20": 20 });
    expect(await readBuilds(clientId, "2026-11-19")).toEqual(before);
    expect(before[0]?.sources).toEqual([[partitionOf(clientId, HOUR).path, 1, 1]]);

    const traced = await ctx.db.transaction((tx) =>
      reportSources(tx, clientId, { aggregate: "sessions_daily", date: "2026-11-20", limit: 50 }),
    );
    expect(traced.hours).toMatchObject([
      {
        partition: partitionOf(clientId, HOUR + DAY_MS).path,
        version: 2,
        is_current: true,
        state: "built",
        raw_rows: 80,
      },
    ]);
    expect(traced.hours[0]?.files.map(({ rows }) => rows)).toEqual([40, 40]);
    expect(traced.hours[0]?.checks.every(({ ok }) => ok)).toBe(true);

    await append(clientId, 7_000, HOUR);
    const folder = lake.absolute(partitionOf(clientId, HOUR).path);
    const late = `${folder}/${(await readdir(folder)).find((name) => name.includes("700_"))}`;
    const whole = await readFile(late);
    await writeFile(late, whole.subarray(0, whole.length / 2));
    const held = await run(clientId);
    expect(held?.checks[0]).toMatchObject({ check: "readable", state: "failed", failed: 1 });
    expect(await countPurchases(clientId)).toMatchObject({ "2026-11-19": 10 });
    const book = await ctx.db.select().from(etlPartitions).where(eq(etlPartitions.client_id, clientId));
    expect(book.map((row) => row.state).toSorted()).toEqual(["built", "built", "held"]);

    await writeFile(late, whole);
    await run(clientId);
    expect(await countPurchases(clientId)).toMatchObject({ "2026-11-19": 20 });

    // A file that is gone: the next event of the hour finds the gap, and the day keeps its figures until it is back.
    await rename(late, `${late}.away`);
    await append(clientId, 9_000, HOUR);
    const details = [expect.stringContaining("0 rows of 40; held back")];
    expect((await run(clientId))?.checks[0]).toMatchObject({ check: "completeness", failed: 1, details });
    expect(await countPurchases(clientId)).toMatchObject({ "2026-11-19": 20 });
    await rename(`${late}.away`, late);
    await run(clientId);
    expect(await countPurchases(clientId)).toMatchObject({ "2026-11-19": 30 });
  });

  it("runs over a range alone, and again what is up to date where it is told to", async () => {
    const clientId = await makeClient();
    await append(clientId, 0, HOUR);
    await append(clientId, 1_000, HOUR + DAY_MS);
    const day = { start: "2026-11-20T00:00:00.000Z", end: "2026-11-21T00:00:00.000Z" };
    await run(clientId, day);
    expect(await countPurchases(clientId)).toEqual({ "2026-11-20": 10 });
    const again = await run(clientId, { ...day, rebuild: true });
    expect(again?.progress).toEqual({ partitions: { done: 1, total: 1 }, days: { done: 1, total: 1 } });
    expect(await countPurchases(clientId)).toEqual({ "2026-11-20": 10 });
  });

  it("holds back an hour of which the audit misses events, until it finds them or somebody says to go on without", async () => {
    const clientId = await makeClient();
    await append(clientId, 0, HOUR);
    await run(clientId);
    const judge = (unexplained: number) =>
      ctx.db.insert(audits).values({
        client_id: clientId,
        hour: new Date(HOUR).toISOString(),
        at: new Date().toISOString(),
        settled_at: new Date().toISOString(),
        verdict: unexplained > 0 ? "difference" : "ok",
        unexplained,
        acknowledged: 40 + unexplained,
        received: 40,
        in_lake: 40,
        dropped: 0,
        dead_letters: 0,
        in_flight: 0,
        deliveries: 0,
        unexplained_deliveries: 0,
        details: { differences: [], stale: [], notes: [] },
      });
    const readState = async () =>
      (await ctx.db.select().from(etlPartitions).where(eq(etlPartitions.client_id, clientId))).map(
        ({ state }) => state,
      );
    const { path } = partitionOf(clientId, HOUR);

    await judge(2);
    await append(clientId, 1_000, HOUR);
    const what = "2 events of 42 that the edge accepted are unexplained, says the audit";
    expect(readFailed((await run(clientId))?.checks)).toEqual([`${path}: ${what}; held back`]);
    expect([await readState(), await countPurchases(clientId)]).toEqual([["held"], { "2026-11-19": 10 }]);

    await judge(0);
    await run(clientId);
    expect([await readState(), await countPurchases(clientId)]).toEqual([["built"], { "2026-11-19": 20 }]);

    await judge(3);
    await run(clientId);
    expect(await readState()).toEqual(["held"]);
    const known = await run(clientId, { rebuild: true });
    expect(readFailed(known?.checks)).toEqual([`${path}: ${what.replace("2 events of 42", "3 events of 43")}`]);
    expect(await readState()).toEqual(["built"]);
    expect((await run(clientId))?.progress.partitions.total).toBe(0);
  });

  it("has a Schedule for each client with events, which stays as the operator leaves it", async () => {
    const clientId = await makeClient();
    await append(clientId, 0, HOUR);
    const others = await ctx.db.select({ id: clients.id }).from(clients);
    const known = () => new Set(others.map(({ id }) => id).filter((id) => id !== clientId));
    const schedules = new ScheduleClient({
      connection: worker.client.connection,
      namespace: ctx.config.LIVORA_TEMPORAL_NAMESPACE,
    });
    await ensureEtlSchedules(ctx, schedules, known());
    const handle = schedules.getHandle(etlScheduleId(clientId));
    await handle.pause("maintenance");
    await ensureEtlSchedules(ctx, schedules, known());
    expect((await handle.describe()).state).toMatchObject({ paused: true, note: "maintenance" });
    await handle.delete();
  });
});
