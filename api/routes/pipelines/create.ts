import { pipelineSchema } from "../../../core/pipeline/pipeline.ts";
import { createPipeline } from "../../../crm/create-pipeline.ts";
import { pipelineViewSchema } from "../../../crm/pipeline.ts";
import { defineRoute } from "../../route.ts";

export const createPipelineRoute = defineRoute({
  method: "post",
  path: "/api/v1/pipelines",
  operationId: "createPipeline",
  tag: "deals",
  summary: "Make a pipeline of stages in their order, at least one of each kind",
  scope: "admin",
  changesReports: true,
  body: pipelineSchema,
  responses: { 201: { description: "The pipeline is new.", schema: pipelineViewSchema } },
  problems: [409],
  handle: async ({ ctx, body }) => ({ status: 201, body: await createPipeline(ctx, body) }),
});
