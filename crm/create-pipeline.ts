import type { z } from "zod";

import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { pipelineSchema } from "../core/pipeline/pipeline.ts";
import { pipelines } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { insertStages, type PipelineView, readPipelines } from "./pipeline.ts";

/** So that a list of all of them stays one that people can read. */
const MAX_PIPELINES = 100;

export async function createPipeline(ctx: CrmContext, input: z.input<typeof pipelineSchema>): Promise<PipelineView> {
  requireScope(ctx, "admin");
  const { pipeline_id, name, stages } = parse(pipelineSchema, input, "pipeline");
  const { client_id } = ctx.principal;
  return inTransaction(ctx, async (tx) => {
    const before = await readPipelines(tx, client_id);
    if (before.length >= MAX_PIPELINES) throw new AppError("conflict", `At most ${MAX_PIPELINES} pipelines.`);
    const made = await tx
      .insert(pipelines)
      .values({ client_id, id: pipeline_id, name, is_default: false })
      .onConflictDoNothing()
      .returning({ id: pipelines.id });
    if (made.length === 0) throw new AppError("conflict", "There is a pipeline of that name already.");
    await insertStages(tx, { client_id, pipeline_id }, stages);
    await writeAudit(ctx, tx, { action: "pipeline.create", subject: `pipeline:${pipeline_id}` });
    return (await readPipelines(tx, client_id)).find((pipeline) => pipeline.pipeline_id === pipeline_id)!;
  });
}
