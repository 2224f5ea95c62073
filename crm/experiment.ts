import { and, eq } from "drizzle-orm";
import { z } from "zod";

import { formatDuration } from "../core/duration.ts";
import { AppError } from "../core/errors.ts";
import { experimentIdSchema, experimentParts } from "../core/experiment/definition.ts";
import { experiments } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";
import { isoTime, timeSchema } from "./page.ts";

export const experimentInput = z.object({ id: experimentIdSchema });

export const experimentViewSchema = z
  .object({
    experiment_id: experimentIdSchema,
    name: z.string(),
    ...experimentParts,
    window: z.string(),
    state: z.enum(["planned", "running", "ended"]),
    started_at: timeSchema,
    ended_at: timeSchema.nullable(),
    created_at: timeSchema,
  })
  .meta({ id: "Experiment" });

export type ExperimentView = z.infer<typeof experimentViewSchema>;
export type ExperimentRow = typeof experiments.$inferSelect;

export function viewExperiment(row: ExperimentRow, nowMs = Date.now()): ExperimentView {
  const { id, name, variants, metric, window_ms, started_at, ended_at, created_at } = row;
  const isPlanned = Date.parse(started_at) > nowMs;
  return {
    experiment_id: id,
    name,
    variants,
    metric,
    window: formatDuration(window_ms),
    state: ended_at !== null ? "ended" : isPlanned ? "planned" : "running",
    started_at: isoTime(started_at),
    ended_at: isoTime(ended_at),
    created_at: isoTime(created_at),
  };
}

/** Throws `not_found`. */
export async function findExperiment(tx: Transaction, clientId: string, id: string): Promise<ExperimentRow> {
  const where = and(eq(experiments.client_id, clientId), eq(experiments.id, id));
  const row = await tx.query.experiments.findFirst({ where });
  if (row === undefined) throw new AppError("not_found", "There is no such experiment.");
  return row;
}
