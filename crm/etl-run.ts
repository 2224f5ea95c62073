import { and, eq } from "drizzle-orm";
import { z } from "zod";

import type { EtlRunProgress } from "../core/contracts/etl.ts";
import { AppError } from "../core/errors.ts";
import { etlRuns } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction } from "./context.ts";
import { isoTime, timeSchema } from "./page.ts";

const count = z.object({ done: z.int().min(0), total: z.int().min(0) });

export const etlRunSchema = z
  .object({
    run_id: z.guid(),
    workflow_id: z.string(),
    state: z.enum(["running", "paused", "done", "failed", "cancelled"]),
    start: timeSchema.nullable().meta({ description: "Hours from this moment on; null: from the first." }),
    end: timeSchema.nullable(),
    rebuild: z.boolean(),
    partitions: count.meta({ description: "Hours of the lake that are not up to date." }),
    days: count.meta({ description: "Days of which an aggregate is not up to date." }),
    checks: z.array(
      z.object({
        check: z.enum([
          "readable",
          "completeness",
          "uniqueness",
          "ranges",
          "references",
          "money",
          "freshness",
          "aggregates",
        ]),
        state: z.enum(["passed", "failed"]),
        partitions: z.int().min(0).meta({ description: "Hours that it looked into." }),
        failed: z.int().min(0),
        details: z.array(z.string()).meta({ description: "Of the first that failed." }),
      }),
    ),
    actor: z.string(),
    created_at: timeSchema,
    ended_at: timeSchema.nullable(),
  })
  .meta({ id: "EtlRun" });

export type EtlRun = z.infer<typeof etlRunSchema>;
export type EtlRunRow = typeof etlRuns.$inferSelect;

/** What runs of ETL need of Temporal. All throw `unavailable` where it is away. */
export interface EtlClient {
  /** Asking twice is asking once. */
  start(row: EtlRunRow): Promise<void>;
  /** False where it has ended. */
  signal(workflowId: string, signal: "pause" | "resume" | "cancel"): Promise<boolean>;
  /** Null where it has ended long ago, or nobody answers. */
  progress(workflowId: string): Promise<EtlRunProgress | null>;
}

/** As its row has it; `live` is what its workflow says, while it runs. */
export function viewEtlRun(row: EtlRunRow, live: EtlRunProgress | null): EtlRun {
  const isOver = row.state !== "running";
  const { progress, checks } = isOver || live === null ? row : live;
  return {
    run_id: row.id,
    workflow_id: row.workflow_id,
    state: isOver ? row.state : (live?.state ?? "running"),
    start: isoTime(row.start_at),
    end: isoTime(row.end_at),
    rebuild: row.rebuild,
    ...progress,
    checks: [...checks],
    actor: row.actor,
    created_at: isoTime(row.created_at),
    ended_at: isoTime(row.ended_at),
  };
}

/** Throws `not_found`. */
export async function findEtlRun(ctx: CrmContext, id: string): Promise<EtlRunRow> {
  const where = and(eq(etlRuns.client_id, ctx.principal.client_id), eq(etlRuns.id, id));
  const row = await inTransaction(ctx, (tx) => tx.query.etlRuns.findFirst({ where }));
  if (row === undefined) throw new AppError("not_found", "There is no such run.");
  return row;
}
