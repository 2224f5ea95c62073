import { configureEmbeds, configureEmbedsBody, embedSettingsSchema } from "../../../crm/configure-embeds.ts";
import { defineRoute } from "../../route.ts";

export const configureEmbedsRoute = defineRoute({
  method: "put",
  path: "/api/v1/embed-settings",
  operationId: "configureEmbeds",
  tag: "analytics",
  summary: "Whose pages may show tiles, and another key to sign links with",
  scope: "admin",
  body: configureEmbedsBody,
  responses: { 200: { description: "As it is now.", schema: embedSettingsSchema } },
  handle: async ({ ctx, api, body }) => ({ status: 200, body: await configureEmbeds(ctx, api.db, body) }),
});
