import {
  registerEventSchema,
  registerEventSchemaBody,
  registerEventSchemaInput,
  registeredEventSchemaSchema,
} from "../../../crm/register-event-schema.ts";
import { defineRoute } from "../../route.ts";

export const registerSchemaRoute = defineRoute({
  method: "post",
  path: "/api/v1/schemas/{event_type}",
  operationId: "registerSchema",
  tag: "schemas",
  summary: "Make the next version of an event type's schema; 409 names each change that breaks compatibility",
  scope: "admin",
  input: registerEventSchemaInput,
  body: registerEventSchemaBody,
  responses: {
    200: {
      description: "It is the latest version already; or what a dry run has found.",
      schema: registeredEventSchemaSchema,
    },
    201: { description: "A new version.", schema: registeredEventSchemaSchema },
  },
  problems: [409],
  async handle({ ctx, input, body }) {
    const registered = await registerEventSchema(ctx, input, body);
    return { status: registered.unchanged || registered.dry_run ? 200 : 201, body: registered };
  },
});
