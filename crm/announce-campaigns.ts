import type { CrmContext } from "./context.ts";

/** Who matches triggers listens here, and looks by itself every second: a nudge that is lost costs a second. */
export const CAMPAIGNS_CHANNEL = "livora:campaigns";

export async function announceCampaigns(ctx: CrmContext): Promise<void> {
  try {
    await ctx.redis.publish(CAMPAIGNS_CHANNEL, ctx.principal.client_id);
  } catch (error) {
    ctx.log.warn({ err: (error as Error).message, request_id: ctx.principal.request_id }, "campaigns not announced");
  }
}
