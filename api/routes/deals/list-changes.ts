import { dealChangeSchema, listDealChanges, listDealChangesInput } from "../../../crm/list-deal-changes.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listDealChangesRoute = defineRoute({
  method: "get",
  path: "/api/v1/deals/{id}/changes",
  operationId: "listDealChanges",
  tag: "deals",
  summary: "What each change has made of a deal, newest first",
  scope: "read",
  input: listDealChangesInput,
  responses: { 200: { description: "A page of it.", schema: pageOf("changes", dealChangeSchema) } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await listDealChanges(ctx, input) }),
});
