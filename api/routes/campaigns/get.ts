import { campaignViewSchema } from "../../../crm/campaign.ts";
import { getCampaign, getCampaignInput } from "../../../crm/get-campaign.ts";
import { defineRoute } from "../../route.ts";

export const getCampaignRoute = defineRoute({
  method: "get",
  path: "/api/v1/campaigns/{id}",
  operationId: "getCampaign",
  tag: "campaigns",
  summary: "A campaign, its draft and its state",
  scope: "read",
  input: getCampaignInput,
  responses: { 200: { description: "The campaign.", schema: campaignViewSchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await getCampaign(ctx, input) }),
});
