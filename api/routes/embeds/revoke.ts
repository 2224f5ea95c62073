import { embedSchema } from "../../../crm/embed.ts";
import { revokeEmbed, revokeEmbedInput } from "../../../crm/revoke-embed.ts";
import { defineRoute } from "../../route.ts";

export const revokeEmbedRoute = defineRoute({
  method: "delete",
  path: "/api/v1/embeds/{id}",
  operationId: "revokeEmbed",
  tag: "analytics",
  summary: "Let a link show nothing from now on",
  scope: "admin",
  input: revokeEmbedInput,
  responses: { 200: { description: "It is revoked.", schema: embedSchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await revokeEmbed(ctx, input) }),
});
