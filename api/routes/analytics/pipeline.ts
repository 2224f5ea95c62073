import { z } from "zod";

import { pipelineInput, pipelineReportSchema } from "../../../analytics/reports/pipeline-schema.ts";
import { reportPipeline } from "../../../analytics/reports/pipeline.ts";
import { tableOfReport } from "../../../core/report-table.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";

/** Exported are the stages of all deals together. */
const { stages } = pipelineReportSchema.shape;

export const pipelineRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/pipeline",
  operationId: "getPipeline",
  tag: "analytics",
  summary: "Deals by stage, what became of them in a range, and what the open ones will bring",
  scope: "read",
  // Owners are people's names, and reasons may hold any.
  access: ["analytics.pipeline", "deals"],
  table: tableOfReport(z.object({ stages })) ?? false,
  // Deals change without ETL.
  cache: { freshMs: 2_000, keptMs: 10_000 },
  input: pipelineInput,
  responses: { 200: { description: "The stages, and the forecast.", schema: pipelineReportSchema } },
  async handle({ ctx, input }) {
    requireScope(ctx, "read");
    return { status: 200, body: await inTransaction(ctx, (tx) => reportPipeline(tx, ctx.principal.client_id, input)) };
  },
});
