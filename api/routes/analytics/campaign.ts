import { campaignReportInput, campaignReportSchema, reportCampaign } from "../../../analytics/reports/campaign.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";

export const campaignRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/campaigns/{id}",
  operationId: "getCampaignResults",
  tag: "analytics",
  summary: "What a campaign has sent, what became of it, what it earned, and what it earned more than a holdout",
  scope: "read",
  input: campaignReportInput,
  responses: { 200: { description: "The results.", schema: campaignReportSchema } },
  problems: [404],
  async handle({ ctx, input }) {
    requireScope(ctx, "read");
    const { client_id } = ctx.principal;
    return { status: 200, body: await inTransaction(ctx, (tx) => reportCampaign(tx, client_id, input)) };
  },
});
