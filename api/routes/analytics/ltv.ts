import { ltvInput, ltvSchema, reportLtv } from "../../../analytics/reports/ltv.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";

export const ltvRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/ltv",
  operationId: "getLtv",
  tag: "analytics",
  summary: "What customers have brought and will bring, in one currency: summed up, and by customer, highest first",
  scope: "read",
  access: ["analytics.ltv", "customers"],
  input: ltvInput,
  responses: { 200: { description: "The summary and a page of customers.", schema: ltvSchema } },
  async handle({ ctx, input }) {
    requireScope(ctx, "read");
    return { status: 200, body: await inTransaction(ctx, (tx) => reportLtv(tx, ctx.principal.client_id, input)) };
  },
});
