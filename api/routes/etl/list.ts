import { etlRunSchema } from "../../../crm/etl-run.ts";
import { listEtlRuns, listEtlRunsInput } from "../../../crm/list-etl-runs.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listEtlRunsRoute = defineRoute({
  method: "get",
  path: "/api/v1/etl/runs",
  operationId: "listEtlRuns",
  tag: "analytics",
  summary: "Runs of ETL, newest first",
  scope: "admin",
  input: listEtlRunsInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("runs", etlRunSchema) } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await listEtlRuns(ctx, input) }),
});
