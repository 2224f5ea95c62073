import { Connection, ScheduleClient } from "@temporalio/client";
import { sql } from "drizzle-orm";

import { ETL_TASK_QUEUE, ETL_WORKFLOW, etlScheduleId, etlWorkflowId } from "../core/contracts/etl.ts";
import { HOUR_MS, MINUTE_MS } from "../core/time.ts";
import type { Context } from "../platform/context.ts";
import { ensureSchedule } from "./ensure-schedule.ts";
import { repeat } from "./repeat.ts";

/** Compaction begins a quarter past; clients are spread over the half hour after that. */
const FIRST_MINUTE = 20;
const MINUTES = 30;

/** Each client that has events gets a Schedule, sooner or later, until stopped. */
export function keepEtlSchedules(ctx: Pick<Context, "db" | "config" | "log">): { stop(): Promise<void> } {
  const connection = Connection.lazy({ address: ctx.config.LIVORA_TEMPORAL_ADDRESS });
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
 * Hourly. Once a Schedule is there it is the operator's: pauses and changes stay. A run that was missed is not made up for: the next one
 * finds what is not up to date. `known` have theirs.
 */
export async function ensureEtlSchedules(
  { db }: Pick<Context, "db">,
  schedules: ScheduleClient,
  known: Set<string>,
): Promise<void> {
  const rows = await db.execute<{ id: string }>(
    sql`select id from clients where exists (select from lake_files where client_id = clients.id) order by id`,
  );
  for (const { id } of rows) {
    if (known.has(id)) continue;
    await ensureSchedule(schedules, {
      scheduleId: etlScheduleId(id),
      workflowType: ETL_WORKFLOW,
      workflowId: etlWorkflowId(id, "scheduled"),
      taskQueue: ETL_TASK_QUEUE,
      everyMs: HOUR_MS,
      offsetMs: (FIRST_MINUTE + (known.size % MINUTES)) * MINUTE_MS,
      catchupMs: MINUTE_MS,
      input: { client_id: id },
    });
    known.add(id);
  }
}
