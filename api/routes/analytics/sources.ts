import { reportSources, sourcesInput, sourcesSchema } from "../../../analytics/reports/sources.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";

export const sourcesRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/sources",
  operationId: "getSources",
  tag: "analytics",
  summary: "What a figure was made from: hours of the lake, their counts and checks, and the raw files",
  scope: "admin",
  input: sourcesInput,
  responses: { 200: { description: "A page of the hours.", schema: sourcesSchema } },
  problems: [404],
  async handle({ ctx, input }) {
    requireScope(ctx, "admin");
    return { status: 200, body: await inTransaction(ctx, (tx) => reportSources(tx, ctx.principal.client_id, input)) };
  },
});
