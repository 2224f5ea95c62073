import { CAMPAIGNS_CHANNEL } from "../core/contracts/campaign.ts";
import type { CrmContext } from "./context.ts";

export async function announceCampaigns(ctx: CrmContext): Promise<void> {
  try {
    await ctx.redis.publish(CAMPAIGNS_CHANNEL, ctx.principal.client_id);
  } catch (error) {
    ctx.log.warn({ err: (error as Error).message, request_id: ctx.principal.request_id }, "campaigns not announced");
  }
}
