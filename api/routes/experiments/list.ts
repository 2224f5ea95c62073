import { experimentViewSchema } from "../../../crm/experiment.ts";
import { listExperiments, listExperimentsInput } from "../../../crm/list-experiments.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listExperimentsRoute = defineRoute({
  method: "get",
  path: "/api/v1/experiments",
  operationId: "listExperiments",
  tag: "analytics",
  summary: "All experiments, by id",
  scope: "read",
  input: listExperimentsInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("experiments", experimentViewSchema) } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await listExperiments(ctx, input) }),
});
