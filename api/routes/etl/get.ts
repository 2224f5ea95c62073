import { etlRunSchema } from "../../../crm/etl-run.ts";
import { getEtlRun, getEtlRunInput } from "../../../crm/get-etl-run.ts";
import { defineRoute } from "../../route.ts";

export const getEtlRunRoute = defineRoute({
  method: "get",
  path: "/api/v1/etl/runs/{id}",
  operationId: "getEtlRun",
  tag: "analytics",
  summary: "How far a run of ETL has come, and what its checks have found",
  scope: "admin",
  input: getEtlRunInput,
  responses: { 200: { description: "Its state.", schema: etlRunSchema } },
  problems: [404],
  handle: async ({ ctx, api, input }) => ({ status: 200, body: await getEtlRun(ctx, api.etl, input) }),
});
