import { and, asc, eq, gt } from "drizzle-orm";
import { z } from "zod";

import { campaignIdSchema } from "../core/campaign.ts";
import { parse } from "../core/parse.ts";
import { campaigns } from "../platform/postgres/schema.ts";
import { type CampaignView, CAMPAIGN_STATES, viewCampaign } from "./campaign.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type Page, pageInput } from "./page.ts";

export const listCampaignsInput = z.object({
  ...pageInput,
  cursor: campaignIdSchema.optional().meta({ description: "`next_cursor` of the page before." }),
  state: z.enum(CAMPAIGN_STATES).optional(),
});

/** All campaigns, by id. */
export async function listCampaigns(
  ctx: CrmContext,
  input: z.input<typeof listCampaignsInput>,
): Promise<Page<"campaigns", CampaignView>> {
  requireScope(ctx, "read");
  const { limit, cursor, state } = parse(listCampaignsInput, input, "request");
  const rows = await inTransaction(ctx, (tx) => {
    const where = and(
      eq(campaigns.client_id, ctx.principal.client_id),
      state && eq(campaigns.state, state),
      cursor === undefined ? undefined : gt(campaigns.id, cursor),
    );
    return tx.query.campaigns.findMany({ where, orderBy: [asc(campaigns.id)], limit: limit + 1 });
  });
  const page = rows.slice(0, limit).map(viewCampaign);
  return { campaigns: page, next_cursor: rows.length > limit ? (page.at(-1)?.campaign_id ?? null) : null };
}
