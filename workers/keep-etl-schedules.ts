import { ScheduleClient } from "@temporalio/client";
import { sql } from "drizzle-orm";

import {
  ETL_TASK_QUEUE,
  ETL_WORKFLOW,
  type EtlInput,
  type EtlRhythm,
  etlScheduleId,
  etlWorkflowId,
} from "../core/contracts/etl.ts";
import { HOUR_MS, MINUTE_MS } from "../core/time.ts";
import type { Context } from "../platform/context.ts";
import { connectTemporal } from "../platform/temporal-connection.ts";
import { ensureSchedule, type RegularWorkflow, type Times } from "./ensure-schedule.ts";
import { repeat } from "./repeat.ts";

/** Compaction begins a quarter past; clients are spread over the half hour after that. */
const FIRST_MINUTE = 20;
const MINUTES = 30;
const NIGHT_HOUR = 2;

/** Each client that has events gets a Schedule, sooner or later, until stopped. */
export function keepEtlSchedules(ctx: Pick<Context, "db" | "config" | "log">): { stop(): Promise<void> } {
  const connection = connectTemporal(ctx.config);
  const schedules = new ScheduleClient({ connection, namespace: ctx.config.LIVORA_TEMPORAL_NAMESPACE });
  const known = new Set<string>();
  const repeating = repeat(MINUTE_MS, async () => {
    await ensureEtlSchedules(ctx, schedules, known).catch((error: unknown) => {
      ctx.log.warn({ err: (error as Error).message }, "no schedules of ETL made");
    });
  });
  return {
    async stop() {
      await repeating.stop();
      await connection.close();
    },
  };
}

/**
 * Hourly, and each night at two by the client's clocks. Once a Schedule is there it is the operator's: pauses and changes stay. A run that
 * was missed is not made up for: the next one finds what is not up to date. `known` have theirs.
 */
export async function ensureEtlSchedules(
  { db }: Pick<Context, "db">,
  schedules: ScheduleClient,
  known: Set<string>,
): Promise<void> {
  const rows = await db.execute<{ id: string; time_zone: string | null }>(sql`
    select id, settings ->> 'timezone' as time_zone from clients
    where exists (select from lake_files where client_id = clients.id) order by id`);
  for (const { id, time_zone } of rows) {
    if (known.has(id)) continue;
    const minute = FIRST_MINUTE + (known.size % MINUTES);
    const hourly = { everyMs: HOUR_MS, offsetMs: minute * MINUTE_MS };
    const nightly = { dailyAt: { hour: NIGHT_HOUR, minute }, timeZone: time_zone ?? "UTC" };
    await ensureSchedule(schedules, scheduleOf(id, "hourly", hourly));
    await ensureSchedule(schedules, scheduleOf(id, "nightly", nightly));
    known.add(id);
  }
}

function scheduleOf(clientId: string, rhythm: EtlRhythm, times: Times): RegularWorkflow {
  const input: EtlInput = { client_id: clientId, ...(rhythm === "nightly" && { verify: true }) };
  return {
    scheduleId: etlScheduleId(clientId, rhythm),
    workflowType: ETL_WORKFLOW,
    workflowId: etlWorkflowId(clientId, rhythm === "hourly" ? "scheduled" : rhythm),
    taskQueue: ETL_TASK_QUEUE,
    times,
    catchupMs: MINUTE_MS,
    input,
  };
}
