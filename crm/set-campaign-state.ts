import { and, eq, sql } from "drizzle-orm";

import { AppError } from "../core/errors.ts";
import { campaigns } from "../platform/postgres/schema.ts";
import type { CampaignState } from "./campaign.ts";
import { type CrmContext, inTransaction, writeAudit } from "./context.ts";
import { lockCampaign } from "./find-campaign.ts";

/** From one state to the other; being there already is fine, being anywhere else is a conflict. */
export async function setCampaignState(
  ctx: CrmContext,
  id: string,
  from: "active" | "paused",
  to: "active" | "paused",
  action: string,
): Promise<CampaignState> {
  const { client_id } = ctx.principal;
  return inTransaction(ctx, async (tx) => {
    const { state, current_version } = await lockCampaign(tx, client_id, id);
    if (state === to) return { campaign_id: id, state, current_version };
    if (state !== from) throw new AppError("conflict", `The campaign is ${state}, not ${from}.`);
    await tx
      .update(campaigns)
      .set({ state: to, updated_at: sql`clock_timestamp()` })
      .where(and(eq(campaigns.client_id, client_id), eq(campaigns.id, id)));
    await writeAudit(ctx, tx, { action, subject: `campaign:${id}` });
    return { campaign_id: id, state: to, current_version };
  });
}
