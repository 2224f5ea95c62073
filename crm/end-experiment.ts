import { and, eq, sql } from "drizzle-orm";
import type { z } from "zod";

import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { experiments } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { experimentInput, type ExperimentView, findExperiment, viewExperiment } from "./experiment.ts";

/** Exposures from now on do not count; who was exposed before has their whole window still. Once ended it stays so, and keeps its time. */
export async function endExperiment(ctx: CrmContext, input: z.input<typeof experimentInput>): Promise<ExperimentView> {
  requireScope(ctx, "admin");
  const { id } = parse(experimentInput, input, "request");
  const { client_id } = ctx.principal;
  return inTransaction(ctx, async (tx) => {
    const found = await findExperiment(tx, client_id, id);
    if (found.ended_at !== null) return viewExperiment(found);
    if (Date.parse(found.started_at) > Date.now()) throw new AppError("conflict", "The experiment has not begun yet.");
    const [row] = await tx
      .update(experiments)
      .set({ ended_at: sql`coalesce(${experiments.ended_at}, ${new Date().toISOString()}::timestamptz)` })
      .where(and(eq(experiments.client_id, client_id), eq(experiments.id, id)))
      .returning();
    await writeAudit(ctx, tx, { action: "experiment.end", subject: `experiment:${id}` });
    return viewExperiment(row!);
  });
}
