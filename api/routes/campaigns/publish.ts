import { publishCampaign, publishCampaignInput, publishedCampaignSchema } from "../../../crm/publish-campaign.ts";
import { defineRoute } from "../../route.ts";

export const publishCampaignRoute = defineRoute({
  method: "post",
  path: "/api/v1/campaigns/{id}/publish",
  operationId: "publishCampaign",
  tag: "campaigns",
  summary: "Make the draft an immutable version that new entries run; a draft that is published already makes none",
  scope: "admin",
  input: publishCampaignInput,
  responses: { 200: { description: "What runs from now on.", schema: publishedCampaignSchema } },
  problems: [404, 409],
  handle: async ({ ctx, input }) => ({ status: 200, body: await publishCampaign(ctx, input) }),
});
