import { campaignSchema } from "../../../core/campaign.ts";
import { createCampaign, createdCampaignSchema } from "../../../crm/create-campaign.ts";
import { defineRoute } from "../../route.ts";

export const createCampaignRoute = defineRoute({
  method: "post",
  path: "/api/v1/campaigns",
  operationId: "createCampaign",
  tag: "campaigns",
  summary: "Keep a campaign's JSON as its draft; the same campaign_id again replaces the draft",
  scope: "admin",
  body: campaignSchema,
  responses: {
    200: { description: "The draft was replaced; what is published goes on as it is.", schema: createdCampaignSchema },
    201: { description: "The campaign is new.", schema: createdCampaignSchema },
  },
  async handle({ ctx, sent }) {
    const { created, ...body } = await createCampaign(ctx, sent);
    return { status: created ? 201 : 200, body };
  },
});
