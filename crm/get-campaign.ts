import { z } from "zod";

import { campaignIdSchema } from "../core/campaign.ts";
import { parse } from "../core/parse.ts";
import { type CampaignView, viewCampaign } from "./campaign.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { findCampaign } from "./find-campaign.ts";

export const getCampaignInput = z.object({ id: campaignIdSchema });

export async function getCampaign(ctx: CrmContext, input: z.input<typeof getCampaignInput>): Promise<CampaignView> {
  requireScope(ctx, "read");
  const { id } = parse(getCampaignInput, input, "request");
  return viewCampaign(await inTransaction(ctx, (tx) => findCampaign(tx, ctx.principal.client_id, id)));
}
