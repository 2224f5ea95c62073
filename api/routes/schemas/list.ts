import { eventSchemaSchema } from "../../../crm/event-schema.ts";
import { listEventSchemas, listEventSchemasInput } from "../../../crm/list-event-schemas.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listSchemasRoute = defineRoute({
  method: "get",
  path: "/api/v1/schemas",
  operationId: "listSchemas",
  tag: "schemas",
  summary: "Event types that have a schema, by name",
  scope: "read",
  input: listEventSchemasInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("schemas", eventSchemaSchema) } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await listEventSchemas(ctx, input) }),
});
