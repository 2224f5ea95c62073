import { listPipelines, pipelinesSchema } from "../../../crm/list-pipelines.ts";
import { defineRoute } from "../../route.ts";

export const listPipelinesRoute = defineRoute({
  method: "get",
  path: "/api/v1/pipelines",
  operationId: "listPipelines",
  tag: "deals",
  summary: "All pipelines with their stages; every client has one from the beginning",
  scope: "read",
  responses: { 200: { description: "All of them, the oldest first.", schema: pipelinesSchema } },
  handle: async ({ ctx }) => ({ status: 200, body: await listPipelines(ctx) }),
});
