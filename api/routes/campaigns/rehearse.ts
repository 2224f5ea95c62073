import { rehearseCampaign, rehearsalSchema, rehearsedSchema } from "../../../crm/rehearse-campaign.ts";
import { defineRoute } from "../../route.ts";

export const rehearseCampaignRoute = defineRoute({
  method: "post",
  path: "/api/v1/rehearsals",
  operationId: "rehearseCampaign",
  tag: "campaigns",
  summary: "Play a campaign for one person in a time of its own: what would go out, and when; nothing is sent or kept",
  scope: "read",
  body: rehearsalSchema,
  responses: { 200: { description: "What would happen.", schema: rehearsedSchema } },
  handle: async ({ ctx, sent }) => ({ status: 200, body: await rehearseCampaign(ctx, sent) }),
});
