import {
  readSchemaViolations,
  readSchemaViolationsInput,
  schemaViolationsSchema,
} from "../../../crm/read-schema-violations.ts";
import { defineRoute } from "../../route.ts";

export const readViolationsRoute = defineRoute({
  method: "get",
  path: "/api/v1/schemas/{event_type}/violations",
  operationId: "readSchemaViolations",
  tag: "schemas",
  summary: "Events that did not fit, by what was wrong and by hour",
  scope: "read",
  input: readSchemaViolationsInput,
  responses: { 200: { description: "What was wrong, the most frequent first.", schema: schemaViolationsSchema } },
  problems: [404],
  handle: async ({ ctx, api, input }) => ({
    status: 200,
    body: await readSchemaViolations({ ...ctx, store: api.store }, input),
  }),
});
