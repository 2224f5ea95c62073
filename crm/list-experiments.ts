import { and, asc, eq, gt } from "drizzle-orm";
import { z } from "zod";

import { experimentIdSchema } from "../core/experiment/definition.ts";
import { parse } from "../core/parse.ts";
import { experiments } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type ExperimentView, viewExperiment } from "./experiment.ts";
import { type Page, pageInput } from "./page.ts";

export const listExperimentsInput = z.object({
  ...pageInput,
  cursor: experimentIdSchema.optional().meta({ description: "`next_cursor` of the page before." }),
});

/** All experiments, by id. */
export async function listExperiments(
  ctx: CrmContext,
  input: z.input<typeof listExperimentsInput>,
): Promise<Page<"experiments", ExperimentView>> {
  requireScope(ctx, "read");
  const { limit, cursor } = parse(listExperimentsInput, input, "request");
  const { client_id, id } = experiments;
  const where = and(eq(client_id, ctx.principal.client_id), cursor === undefined ? undefined : gt(id, cursor));
  const rows = await inTransaction(ctx, (tx) =>
    tx.query.experiments.findMany({ where, orderBy: [asc(id)], limit: limit + 1 }),
  );
  const page = rows.slice(0, limit).map((row) => viewExperiment(row));
  return { experiments: page, next_cursor: rows.length > limit ? (page.at(-1)?.experiment_id ?? null) : null };
}
