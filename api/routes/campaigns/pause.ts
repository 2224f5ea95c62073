import { campaignStateSchema } from "../../../crm/campaign.ts";
import { pauseCampaign, pauseCampaignInput } from "../../../crm/pause-campaign.ts";
import { defineRoute } from "../../route.ts";

export const pauseCampaignRoute = defineRoute({
  method: "post",
  path: "/api/v1/campaigns/{id}/pause",
  operationId: "pauseCampaign",
  tag: "campaigns",
  summary: "Nobody enters and nothing goes out; everyone keeps their place",
  scope: "admin",
  input: pauseCampaignInput,
  responses: { 200: { description: "It is paused.", schema: campaignStateSchema } },
  problems: [404, 409],
  handle: async ({ ctx, input }) => ({ status: 200, body: await pauseCampaign(ctx, input) }),
});
