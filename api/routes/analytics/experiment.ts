import {
  experimentReportInput,
  experimentReportSchema,
  reportExperiment,
} from "../../../analytics/reports/experiment.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";

export const experimentRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/experiments/{id}",
  operationId: "getExperimentResults",
  tag: "analytics",
  summary: "What an experiment has shown so far: each variant against the control, and whether it may be believed",
  scope: "read",
  input: experimentReportInput,
  responses: { 200: { description: "The results.", schema: experimentReportSchema } },
  problems: [404],
  async handle({ ctx, input }) {
    requireScope(ctx, "read");
    const { client_id } = ctx.principal;
    return { status: 200, body: await inTransaction(ctx, (tx) => reportExperiment(tx, client_id, input)) };
  },
});
