import { etlRunSchema } from "../../../crm/etl-run.ts";
import { steerEtlRun, steerEtlRunInput } from "../../../crm/steer-etl-run.ts";
import { defineRoute } from "../../route.ts";

export const resumeEtlRunRoute = defineRoute({
  method: "post",
  path: "/api/v1/etl/runs/{id}/resume",
  operationId: "resumeEtlRun",
  tag: "analytics",
  summary: "Let a run of ETL go on",
  scope: "admin",
  input: steerEtlRunInput,
  responses: { 200: { description: "It goes on.", schema: etlRunSchema } },
  problems: [404, 409],
  handle: async ({ ctx, api, input }) => ({ status: 200, body: await steerEtlRun(ctx, api.etl, input, "resume") }),
});
