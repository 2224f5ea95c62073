import { endExperiment } from "../../../crm/end-experiment.ts";
import { experimentInput, experimentViewSchema } from "../../../crm/experiment.ts";
import { defineRoute } from "../../route.ts";

export const endExperimentRoute = defineRoute({
  method: "post",
  path: "/api/v1/experiments/{id}/end",
  operationId: "endExperiment",
  tag: "analytics",
  summary: "End an experiment: exposures from now on do not count; windows that are open go on",
  scope: "admin",
  changesReports: true,
  input: experimentInput,
  responses: { 200: { description: "It has ended.", schema: experimentViewSchema } },
  problems: [404, 409],
  handle: async ({ ctx, input }) => ({ status: 200, body: await endExperiment(ctx, input) }),
});
