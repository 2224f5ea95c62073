import { experimentSchema } from "../../../core/experiment/definition.ts";
import { createExperiment } from "../../../crm/create-experiment.ts";
import { experimentViewSchema } from "../../../crm/experiment.ts";
import { defineRoute } from "../../route.ts";

export const createExperimentRoute = defineRoute({
  method: "post",
  path: "/api/v1/experiments",
  operationId: "createExperiment",
  tag: "analytics",
  summary: "Begin an experiment, or plan it: its variants with their split, the metric and its window",
  scope: "admin",
  changesReports: true,
  body: experimentSchema,
  responses: {
    200: { description: "It was there, just so.", schema: experimentViewSchema },
    201: { description: "The experiment is new.", schema: experimentViewSchema },
  },
  problems: [409],
  async handle({ ctx, body }) {
    const { created, experiment } = await createExperiment(ctx, body);
    return { status: created ? 201 : 200, body: experiment };
  },
});
