import { changeDeal, dealPatchSchema } from "../../../crm/change-deal.ts";
import { dealSchema } from "../../../crm/deal.ts";
import { getDealInput } from "../../../crm/get-deal.ts";
import { defineRoute } from "../../route.ts";

export const changeDealRoute = defineRoute({
  method: "patch",
  path: "/api/v1/deals/{id}",
  operationId: "changeDeal",
  tag: "deals",
  summary: "Change what is said of a deal; null takes it away",
  scope: "admin",
  changesReports: true,
  input: getDealInput,
  body: dealPatchSchema,
  responses: { 200: { description: "As it is now.", schema: dealSchema } },
  problems: [404, 409],
  handle: async ({ ctx, input, body }) => ({ status: 200, body: await changeDeal(ctx, { ...input, ...body }) }),
});
