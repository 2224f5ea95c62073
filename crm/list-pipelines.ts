import { z } from "zod";

import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type PipelineView, pipelineViewSchema, readPipelines } from "./pipeline.ts";

export const pipelinesSchema = z.object({ pipelines: z.array(pipelineViewSchema) });

/** All of them: there are never many. */
export async function listPipelines(ctx: CrmContext): Promise<{ pipelines: PipelineView[] }> {
  requireScope(ctx, "read");
  return { pipelines: await inTransaction(ctx, (tx) => readPipelines(tx, ctx.principal.client_id)) };
}
