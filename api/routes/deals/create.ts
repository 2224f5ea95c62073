import { createDeal, createDealInput } from "../../../crm/create-deal.ts";
import { dealSchema } from "../../../crm/deal.ts";
import { defineRoute } from "../../route.ts";

export const createDealRoute = defineRoute({
  method: "post",
  path: "/api/v1/deals",
  operationId: "createDeal",
  tag: "deals",
  summary: "Make a deal; the same deal_id again makes no second one",
  scope: "admin",
  changesReports: true,
  body: createDealInput,
  responses: {
    200: { description: "It is there already, as it is now; nothing was changed.", schema: dealSchema },
    201: { description: "The deal is new.", schema: dealSchema },
  },
  problems: [404],
  async handle({ ctx, sent }) {
    const { deal, created } = await createDeal(ctx, sent as Parameters<typeof createDeal>[1]);
    return { status: created ? 201 : 200, body: deal };
  },
});
