import { dealSchema } from "../../../crm/deal.ts";
import { getDeal, getDealInput } from "../../../crm/get-deal.ts";
import { defineRoute } from "../../route.ts";

export const getDealRoute = defineRoute({
  method: "get",
  path: "/api/v1/deals/{id}",
  operationId: "getDeal",
  tag: "deals",
  summary: "A deal",
  scope: "read",
  input: getDealInput,
  responses: { 200: { description: "As it is now.", schema: dealSchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await getDeal(ctx, input) }),
});
