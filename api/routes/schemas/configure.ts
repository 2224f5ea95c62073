import {
  configureEventSchema,
  configureEventSchemaInput,
  eventSchemaSettingsSchema,
} from "../../../crm/configure-event-schema.ts";
import { eventSchemaSchema } from "../../../crm/event-schema.ts";
import { defineRoute } from "../../route.ts";

export const configureSchemaRoute = defineRoute({
  method: "put",
  path: "/api/v1/schemas/{event_type}/settings",
  operationId: "configureSchema",
  tag: "schemas",
  summary: "What becomes of events that do not fit, and what the next version must be able to do",
  scope: "admin",
  input: configureEventSchemaInput,
  body: eventSchemaSettingsSchema,
  responses: { 200: { description: "The settings.", schema: eventSchemaSchema } },
  problems: [404],
  handle: async ({ ctx, input, body }) => ({ status: 200, body: await configureEventSchema(ctx, input, body) }),
});
