import { sessionsInput, sessionsSchema, reportSessions } from "../../../analytics/reports/sessions.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";

export const sessionsRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/sessions",
  operationId: "getSessions",
  tag: "analytics",
  summary: "Visits by day, week or month: traffic, engagement, conversion, retention",
  scope: "read",
  input: sessionsInput,
  responses: { 200: { description: "The figures of each period.", schema: sessionsSchema } },
  async handle({ ctx, input }) {
    requireScope(ctx, "read");
    return { status: 200, body: await inTransaction(ctx, (tx) => reportSessions(tx, ctx.principal.client_id, input)) };
  },
});
