import { randomUUID } from "node:crypto";

import { Client, Connection, ScheduleOverlapPolicy } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import { and, eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";

import { createLakeConsumer } from "../analytics/stream/lake/consumer.ts";
import { etlScheduleId } from "../core/contracts/etl.ts";
import type { Context } from "../platform/context.ts";
import { clients, etlPartitions, etlRuns } from "../platform/postgres/schema.ts";
import { createIsolatedContext } from "../test/support/context.ts";
import { makeEnriched, toEntry } from "../test/support/enriched-events.ts";
import { stackConfig } from "../test/support/stack-config.ts";
import { createTemporalNamespace } from "../test/support/temporal-namespace.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { createEtlWorker } from "./etl.ts";
import { ensureEtlSchedules } from "./keep-etl-schedules.ts";

const HOUR = Date.parse("2026-11-01T15:00:00.000Z");
let ctx: Context;
let connection: NativeConnection;
let client: Client;
let clientId: string;
let stopWorker = (): Promise<void> => Promise.resolve();

beforeAll(async () => {
  const { LIVORA_TEMPORAL_ADDRESS: address } = stackConfig();
  const namespace = await createTemporalNamespace(address);
  ctx = await createIsolatedContext({ LIVORA_TEMPORAL_NAMESPACE: namespace });
  connection = await NativeConnection.connect({ address });
  client = new Client({ connection: await Connection.connect({ address }), namespace });
  clientId = `etl-times-${randomUUID()}`;
  await ctx.db.insert(clients).values({ id: clientId, name: clientId, settings: { timezone: "Asia/Kolkata" } });
});
afterAll(async () => {
  await stopWorker();
  await client.connection.close();
  await connection.close();
  await ctx.close();
});

async function append(number: number, timestampMs: number): Promise<void> {
  const entries = [0, 1, 2, 3].map((i) => {
    return toEntry(makeEnriched({ clientId, number: number + i, timestampMs: timestampMs + i }), number + i);
  });
  const signal = new AbortController().signal;
  await createLakeConsumer(ctx).handle({ shard: "shardId-000000000000", entries, state: undefined, signal });
}

it("runs each hour and each night by the client's clocks; hours of downtime are caught up with by one run", async () => {
  await append(0, HOUR);
  const others = await ctx.db.select({ id: clients.id }).from(clients);
  const known = new Set(others.map(({ id }) => id).filter((id) => id !== clientId));
  await ensureEtlSchedules(ctx, client.schedule, known);
  const hourly = client.schedule.getHandle(etlScheduleId(clientId));
  const nightly = client.schedule.getHandle(etlScheduleId(clientId, "nightly"));
  const times = (await nightly.describe()).info.nextActionTimes.map((at) => at.toISOString().slice(11, 16));
  const minute = (await hourly.describe()).info.nextActionTimes[0]?.getUTCMinutes() ?? -1;
  // Two in the morning is half past eight in the evening, UTC.
  const night = new Date(Date.UTC(2026, 0, 1, 20, 30 + minute)).toISOString().slice(11, 16);
  expect([...new Set(times)]).toEqual([night]);

  // No worker is there: the first run waits, and those that would overlap with it are left out.
  for (let hour = 0; hour < 3; hour++) {
    await append(hour * 100, HOUR + hour * 3_600_000);
    await hourly.trigger(ScheduleOverlapPolicy.SKIP);
    await waitUntil(async () => (await hourly.describe()).info.runningActions.length === 1);
  }
  await waitUntil(async () => (await hourly.describe()).info.numActionsSkippedOverlap >= 2);
  const worker = await createEtlWorker(ctx, connection);
  const running = worker.run();
  stopWorker = () => (worker.shutdown(), running);
  const readRuns = () => ctx.db.select().from(etlRuns).where(eq(etlRuns.client_id, clientId));
  await waitUntil(async () => (await readRuns()).some(({ state }) => state === "done"), { timeoutMs: 60_000 });
  const [run, ...more] = (await readRuns()).filter(({ progress }) => progress.partitions.total > 0);
  expect(more).toEqual([]);
  expect(run).toMatchObject({ actor: "schedule", progress: { partitions: { done: 3, total: 3 } } });
  const where = and(eq(etlPartitions.client_id, clientId), eq(etlPartitions.state, "built"));
  expect(await ctx.db.select().from(etlPartitions).where(where)).toHaveLength(3);

  // At night what is built is looked at, too.
  await ctx.db.execute(
    sql`update etl_partitions set curated_rows = 5 where client_id = ${clientId} and partition like '%hour=16'`,
  );
  await nightly.trigger();
  const readFailed = async () =>
    (await readRuns())
      .flatMap(({ checks }) => checks)
      .filter(({ check, state }) => check === "readable" && state === "failed");
  await waitUntil(async () => (await readFailed()).length > 0, { timeoutMs: 60_000 });
  const found = await readFailed();
  expect(found).toMatchObject([
    { check: "readable", failed: 1, details: [expect.stringContaining("is written anew")] },
  ]);
  const rows = await ctx.db.select().from(etlPartitions).where(eq(etlPartitions.client_id, clientId));
  expect(rows.map(({ version, curated_rows, state }) => [version, curated_rows, state])).toEqual(
    expect.arrayContaining([[2, 4, "built"]]),
  );
  await Promise.all([hourly.delete(), nightly.delete()]);
}, 180_000);
