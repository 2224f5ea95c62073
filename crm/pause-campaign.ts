import { z } from "zod";

import { campaignIdSchema } from "../core/campaign.ts";
import { parse } from "../core/parse.ts";
import { announceCampaigns } from "./announce-campaigns.ts";
import type { CampaignState } from "./campaign.ts";
import { type CrmContext, requireScope } from "./context.ts";
import { setCampaignState } from "./set-campaign-state.ts";

export const pauseCampaignInput = z.object({ id: campaignIdSchema });

/** Nobody enters and nothing goes out until it is resumed; everyone keeps their place. */
export async function pauseCampaign(
  ctx: CrmContext,
  input: z.input<typeof pauseCampaignInput>,
): Promise<CampaignState> {
  requireScope(ctx, "admin");
  const { id } = parse(pauseCampaignInput, input, "request");
  const state = await setCampaignState(ctx, id, "active", "paused", "campaign.pause");
  await announceCampaigns(ctx);
  return state;
}
