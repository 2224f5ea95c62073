import { campaignStateSchema } from "../../../crm/campaign.ts";
import { resumeCampaign, resumeCampaignInput } from "../../../crm/resume-campaign.ts";
import { defineRoute } from "../../route.ts";

export const resumeCampaignRoute = defineRoute({
  method: "post",
  path: "/api/v1/campaigns/{id}/resume",
  operationId: "resumeCampaign",
  tag: "campaigns",
  summary: "Everyone goes on from where they stood",
  scope: "admin",
  input: resumeCampaignInput,
  responses: { 200: { description: "It is active, and who waits is being woken.", schema: campaignStateSchema } },
  problems: [404, 409],
  handle: async ({ ctx, input }) => ({ status: 200, body: await resumeCampaign(ctx, input) }),
});
