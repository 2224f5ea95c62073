import type { z } from "zod";

import { parse } from "../core/parse.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { experimentInput, type ExperimentView, findExperiment, viewExperiment } from "./experiment.ts";

export async function getExperiment(ctx: CrmContext, input: z.input<typeof experimentInput>): Promise<ExperimentView> {
  requireScope(ctx, "read");
  const { id } = parse(experimentInput, input, "request");
  return viewExperiment(await inTransaction(ctx, (tx) => findExperiment(tx, ctx.principal.client_id, id)));
}
