import { z } from "zod";

import type { journeyRuns } from "../platform/postgres/schema.ts";
import { isoTime, project, timeSchema } from "./page.ts";

export const RUN_STATES = ["active", "held", "completed", "stopped", "failed"] as const;

export const runSchema = z
  .object({
    id: z.guid(),
    campaign_id: z.string(),
    version: z.int(),
    workflow_id: z.string(),
    entry_key: z.string().meta({ description: "The cart or order the run is about; empty where there is none." }),
    entry_event_id: z.string(),
    entry_event_type: z.string(),
    request_id: z.string().meta({ description: "Of the HTTP request that brought the entry event." }),
    state: z.enum(RUN_STATES).meta({ description: "`held` waits for a paused campaign." }),
    reason: z.string().nullable(),
    stopped_by_event_id: z.string().nullable(),
    node_id: z.string().nullable(),
    entered_at: timeSchema,
    started_at: timeSchema.nullable(),
    ended_at: timeSchema.nullable(),
  })
  .meta({ id: "Run" });

export type Run = z.infer<typeof runSchema>;

export function viewRun(row: typeof journeyRuns.$inferSelect): Run {
  return project(runSchema, {
    ...row,
    entered_at: isoTime(row.entered_at),
    started_at: isoTime(row.started_at),
    ended_at: isoTime(row.ended_at),
  });
}

export function isOpen(run: Pick<Run, "state">): boolean {
  return run.state === "active" || run.state === "held";
}
