import { dealSchema } from "../../../crm/deal.ts";
import { getDealInput } from "../../../crm/get-deal.ts";
import { dealMoveSchema, moveDeal } from "../../../crm/move-deal.ts";
import { defineRoute } from "../../route.ts";

export const moveDealRoute = defineRoute({
  method: "post",
  path: "/api/v1/deals/{id}/move",
  operationId: "moveDeal",
  tag: "deals",
  summary: "Put a deal into another stage of its pipeline: also to win or lose it, or to open it again",
  scope: "admin",
  changesReports: true,
  input: getDealInput,
  body: dealMoveSchema,
  responses: { 200: { description: "As it is now.", schema: dealSchema } },
  problems: [404, 409],
  handle: async ({ ctx, input, body }) => ({ status: 200, body: await moveDeal(ctx, { ...input, ...body }) }),
});
