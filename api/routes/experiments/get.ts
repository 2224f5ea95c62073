import { experimentInput, experimentViewSchema } from "../../../crm/experiment.ts";
import { getExperiment } from "../../../crm/get-experiment.ts";
import { defineRoute } from "../../route.ts";

export const getExperimentRoute = defineRoute({
  method: "get",
  path: "/api/v1/experiments/{id}",
  operationId: "getExperiment",
  tag: "analytics",
  summary: "An experiment as it was defined",
  scope: "read",
  input: experimentInput,
  responses: { 200: { description: "The experiment.", schema: experimentViewSchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await getExperiment(ctx, input) }),
});
