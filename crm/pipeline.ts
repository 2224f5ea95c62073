import { asc, eq } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import {
  DEFAULT_PIPELINE,
  pipelineIdSchema,
  STAGE_KINDS,
  type Stage,
  stageKeySchema,
} from "../core/pipeline/pipeline.ts";
import { pipelines, pipelineStages } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";
import { isoTime, timeSchema } from "./page.ts";

export const pipelineViewSchema = z
  .object({
    pipeline_id: pipelineIdSchema,
    name: z.string(),
    is_default: z.boolean().meta({ description: "Where a deal goes of which nothing is said." }),
    stages: z.array(
      z.object({
        stage: stageKeySchema,
        name: z.string(),
        kind: z.enum(STAGE_KINDS),
        probability: z.number().min(0).max(1),
      }),
    ),
    created_at: timeSchema,
  })
  .meta({ id: "Pipeline" });

export type PipelineView = z.infer<typeof pipelineViewSchema>;

/** All of a client's, the oldest first. The default one is made where it is missing. */
export async function readPipelines(tx: Transaction, clientId: string): Promise<PipelineView[]> {
  await ensureDefaultPipeline(tx, clientId);
  const order = [asc(pipelines.created_at), asc(pipelines.id)];
  const rows = await tx.query.pipelines.findMany({ where: eq(pipelines.client_id, clientId), orderBy: order });
  const stages = await tx.query.pipelineStages.findMany({
    where: eq(pipelineStages.client_id, clientId),
    orderBy: asc(pipelineStages.position),
  });
  return rows.map(({ id, name, is_default, created_at }) => {
    const own = stages.filter((stage) => stage.pipeline_id === id).map(viewStage);
    return { pipeline_id: id, name, is_default, stages: own, created_at: isoTime(created_at) };
  });
}

/** The default one where none is named. Throws `invalid` where there is none of that name. */
export async function findPipeline(tx: Transaction, clientId: string, id?: string): Promise<PipelineView> {
  const all = await readPipelines(tx, clientId);
  const found = all.find((pipeline) => (id === undefined ? pipeline.is_default : pipeline.pipeline_id === id));
  if (found) return found;
  const reason = `is no pipeline of yours: ${all.map((pipeline) => pipeline.pipeline_id).join(", ")}`;
  throw new AppError("invalid", "The deal is not valid.", { faults: [{ path: "/pipeline_id", reason }] });
}

/** Throws `invalid` where the pipeline has no such stage. */
export function findStage({ pipeline_id, stages }: PipelineView, stage: string): Stage {
  const found = stages.find((one) => one.stage === stage);
  if (found) return found;
  const reason = `is no stage of the pipeline ${pipeline_id}: ${stages.map((one) => one.stage).join(", ")}`;
  throw new AppError("invalid", "The deal is not valid.", { faults: [{ path: "/stage", reason }] });
}

async function ensureDefaultPipeline(tx: Transaction, client_id: string): Promise<void> {
  const { id, name, stages } = DEFAULT_PIPELINE;
  const made = await tx
    .insert(pipelines)
    .values({ client_id, id, name, is_default: true })
    .onConflictDoNothing()
    .returning({ id: pipelines.id });
  if (made.length > 0) await insertStages(tx, { client_id, pipeline_id: id }, stages);
}

export async function insertStages(
  tx: Transaction,
  key: { client_id: string; pipeline_id: string },
  stages: readonly Stage[],
): Promise<void> {
  await tx.insert(pipelineStages).values(stages.map((stage, position) => ({ ...key, ...stage, position })));
}

function viewStage({ stage, name, kind, probability }: Stage): Stage {
  return { stage, name, kind, probability };
}
