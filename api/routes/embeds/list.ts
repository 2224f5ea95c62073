import { embedSchema } from "../../../crm/embed.ts";
import { listEmbeds, listEmbedsInput } from "../../../crm/list-embeds.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listEmbedsRoute = defineRoute({
  method: "get",
  path: "/api/v1/embeds",
  operationId: "listEmbeds",
  tag: "analytics",
  summary: "Links to tiles that were made, without their tokens",
  scope: "read",
  input: listEmbedsInput,
  responses: { 200: { description: "Newest first.", schema: pageOf("embeds", embedSchema) } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await listEmbeds(ctx, input) }),
});
