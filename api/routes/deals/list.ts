import { dealSchema } from "../../../crm/deal.ts";
import { listDeals, listDealsInput } from "../../../crm/list-deals.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listDealsRoute = defineRoute({
  method: "get",
  path: "/api/v1/deals",
  operationId: "listDeals",
  tag: "deals",
  summary: "Deals by stage, owner, contact, company",
  scope: "read",
  input: listDealsInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("deals", dealSchema) } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await listDeals(ctx, input) }),
});
