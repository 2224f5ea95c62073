import { overviewInput, overviewSchema, reportOverview } from "../../../analytics/reports/overview.ts";
import type { ActivityDeps } from "../../../analytics/reports/read-activity.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";

/** Many may look at it; nobody is to wait for a purchase for longer than the stream takes anyway. */
const CACHE = { freshMs: 1_000, keptMs: 2_000 };

export const overviewRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/overview",
  operationId: "getOverview",
  tag: "analytics",
  summary: "The figures of a dashboard's first page, up to this second, beside those of as many days before",
  scope: "read",
  input: overviewInput,
  cache: CACHE,
  responses: { 200: { description: "The figures.", schema: overviewSchema } },
  async handle({ ctx, api, input }) {
    requireScope(ctx, "read");
    const read: ActivityDeps["read"] = (work) => inTransaction(ctx, work);
    const deps = { read, store: api.store, nowMs: Date.now() };
    return { status: 200, body: await reportOverview(deps, ctx.principal.client_id, input) };
  },
});
