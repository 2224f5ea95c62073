import { etlRunSchema } from "../../../crm/etl-run.ts";
import { startEtlRun, startEtlRunBody } from "../../../crm/start-etl-run.ts";
import { defineRoute } from "../../route.ts";

export const startEtlRunRoute = defineRoute({
  method: "post",
  path: "/api/v1/etl/runs",
  operationId: "startEtlRun",
  tag: "analytics",
  summary: "Bring the curated lake and the aggregates up to date now, all or those of a range",
  scope: "admin",
  body: startEtlRunBody,
  responses: { 202: { description: "It runs.", schema: etlRunSchema } },
  handle: async ({ ctx, api, body }) => ({ status: 202, body: await startEtlRun(ctx, api.etl, body) }),
});
