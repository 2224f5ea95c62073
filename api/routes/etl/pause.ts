import { etlRunSchema } from "../../../crm/etl-run.ts";
import { steerEtlRun, steerEtlRunInput } from "../../../crm/steer-etl-run.ts";
import { defineRoute } from "../../route.ts";

export const pauseEtlRunRoute = defineRoute({
  method: "post",
  path: "/api/v1/etl/runs/{id}/pause",
  operationId: "pauseEtlRun",
  tag: "analytics",
  summary: "Hold a run of ETL after the page under way",
  scope: "admin",
  input: steerEtlRunInput,
  responses: { 200: { description: "It holds.", schema: etlRunSchema } },
  problems: [404, 409],
  handle: async ({ ctx, api, input }) => ({ status: 200, body: await steerEtlRun(ctx, api.etl, input, "pause") }),
});
