import { cohortsInput, cohortsSchema, reportCohorts } from "../../../analytics/reports/cohorts.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";

export const cohortsRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/cohorts",
  operationId: "getCohorts",
  tag: "analytics",
  summary: "Of those who began in a period, how many came back after so many periods, and what they spent",
  scope: "read",
  input: cohortsInput,
  responses: { 200: { description: "The cohorts, oldest first.", schema: cohortsSchema } },
  async handle({ ctx, input }) {
    requireScope(ctx, "read");
    return { status: 200, body: await inTransaction(ctx, (tx) => reportCohorts(tx, ctx.principal.client_id, input)) };
  },
});
