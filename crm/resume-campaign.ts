import { z } from "zod";

import { campaignIdSchema } from "../core/campaign.ts";
import { parse } from "../core/parse.ts";
import { announceCampaigns } from "./announce-campaigns.ts";
import type { CampaignState } from "./campaign.ts";
import { type CrmContext, requireScope } from "./context.ts";
import { setCampaignState } from "./set-campaign-state.ts";

export const resumeCampaignInput = z.object({ id: campaignIdSchema });

/**
 * Everyone goes on from where they stood. Throws `unavailable` where those who wait could not be woken: asking again
 * wakes them, also when the campaign counts as active by then.
 */
export async function resumeCampaign(
  ctx: CrmContext,
  input: z.input<typeof resumeCampaignInput>,
): Promise<CampaignState> {
  requireScope(ctx, "admin");
  const { id } = parse(resumeCampaignInput, input, "request");
  const state = await setCampaignState(ctx, id, "paused", "active", "campaign.resume");
  await announceCampaigns(ctx);
  await ctx.journeys.resumeCampaign({ client_id: ctx.principal.client_id, campaign_id: id });
  return state;
}
