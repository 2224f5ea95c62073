import { isDeepStrictEqual } from "node:util";

import { parseDuration } from "../core/duration.ts";
import { AppError } from "../core/errors.ts";
import type { ExperimentDefinition } from "../core/experiment/definition.ts";
import { experiments } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { type ExperimentRow, type ExperimentView, findExperiment, viewExperiment } from "./experiment.ts";

/**
 * Begins an experiment, or plans it where `started_at` lies ahead. The same definition again answers the experiment that is there; another one
 * under its id is a conflict, because its figures would be those of two questions.
 */
export async function createExperiment(
  ctx: CrmContext,
  definition: ExperimentDefinition,
): Promise<{ created: boolean; experiment: ExperimentView }> {
  requireScope(ctx, "admin");
  const { experiment_id: id, name = id, variants, metric, window } = definition;
  const { client_id } = ctx.principal;
  const window_ms = parseDuration(window)!;
  // PostgreSQL does not know every offset that ISO 8601 allows.
  const started_at = new Date(definition.started_at ?? Date.now()).toISOString();
  return inTransaction(ctx, async (tx) => {
    const [row] = await tx
      .insert(experiments)
      .values({ client_id, id, name, variants, metric, window_ms, started_at })
      .onConflictDoNothing()
      .returning();
    if (row === undefined) {
      const known = await findExperiment(tx, client_id, id);
      if (!isSame(known, { name, variants, metric, window_ms }, definition.started_at)) {
        throw new AppError("conflict", "There is another experiment of this id, and experiments are not changed.");
      }
      return { created: false, experiment: viewExperiment(known) };
    }
    await writeAudit(ctx, tx, { action: "experiment.create", subject: `experiment:${id}` });
    return { created: true, experiment: viewExperiment(row) };
  });
}

type Asked = Pick<ExperimentRow, "name" | "variants" | "metric" | "window_ms">;

function isSame(row: ExperimentRow, asked: Asked, startedAt: string | undefined): boolean {
  const { name, variants, metric, window_ms } = row;
  const isThen = startedAt === undefined || Date.parse(startedAt) === Date.parse(row.started_at);
  return isThen && isDeepStrictEqual({ name, variants, metric, window_ms }, asked);
}
