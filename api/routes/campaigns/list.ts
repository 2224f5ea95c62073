import { campaignViewSchema } from "../../../crm/campaign.ts";
import { listCampaigns, listCampaignsInput } from "../../../crm/list-campaigns.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listCampaignsRoute = defineRoute({
  method: "get",
  path: "/api/v1/campaigns",
  operationId: "listCampaigns",
  tag: "campaigns",
  summary: "All campaigns, by id",
  scope: "read",
  input: listCampaignsInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("campaigns", campaignViewSchema) } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await listCampaigns(ctx, input) }),
});
