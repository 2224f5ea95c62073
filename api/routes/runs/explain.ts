import { explainedRunSchema, explainRun, explainRunInput } from "../../../crm/explain-run.ts";
import { defineRoute } from "../../route.ts";

export const explainRunRoute = defineRoute({
  method: "get",
  path: "/api/v1/runs/{id}",
  operationId: "explainRun",
  tag: "runs",
  summary: "Where a run stands and why, and what became of its messages",
  scope: "read",
  input: explainRunInput,
  responses: { 200: { description: "The run.", schema: explainedRunSchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await explainRun(ctx, input) }),
});
