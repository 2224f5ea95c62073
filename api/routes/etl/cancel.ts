import { etlRunSchema } from "../../../crm/etl-run.ts";
import { steerEtlRun, steerEtlRunInput } from "../../../crm/steer-etl-run.ts";
import { defineRoute } from "../../route.ts";

export const cancelEtlRunRoute = defineRoute({
  method: "post",
  path: "/api/v1/etl/runs/{id}/cancel",
  operationId: "cancelEtlRun",
  tag: "analytics",
  summary: "End a run of ETL after the page under way: what is done stays done",
  scope: "admin",
  input: steerEtlRunInput,
  responses: { 200: { description: "It ends.", schema: etlRunSchema } },
  problems: [404, 409],
  handle: async ({ ctx, api, input }) => ({ status: 200, body: await steerEtlRun(ctx, api.etl, input, "cancel") }),
});
