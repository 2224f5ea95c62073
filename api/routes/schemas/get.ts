import { eventSchemaVersionsSchema, getEventSchema, getEventSchemaInput } from "../../../crm/get-event-schema.ts";
import { defineRoute } from "../../route.ts";

export const getSchemaRoute = defineRoute({
  method: "get",
  path: "/api/v1/schemas/{event_type}",
  operationId: "getSchema",
  tag: "schemas",
  summary: "What an event type's props are held to: settings, and versions, newest first",
  scope: "read",
  input: getEventSchemaInput,
  responses: { 200: { description: "The schema.", schema: eventSchemaVersionsSchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await getEventSchema(ctx, input) }),
});
