import { sql } from "drizzle-orm";
import { z } from "zod";

import { campaignIdSchema } from "../core/campaign.ts";
import { campaigns } from "../platform/postgres/schema.ts";
import { CAMPAIGN_STATES, warningSchema } from "./campaign.ts";
import { compileDraft, findWarnings } from "./compile-draft.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";

export const createdCampaignSchema = z
  .object({ campaign_id: campaignIdSchema, state: z.enum(CAMPAIGN_STATES), warnings: z.array(warningSchema) })
  .meta({ id: "CreatedCampaign" });

export type CreatedCampaign = z.infer<typeof createdCampaignSchema> & { created: boolean };

/**
 * Keeps the campaign's JSON, as it was sent, as the draft that the next publish takes. The same id again replaces the
 * draft; what is published goes on as it is.
 */
export async function createCampaign(ctx: CrmContext, source: unknown): Promise<CreatedCampaign> {
  requireScope(ctx, "admin");
  const compiled = compileDraft(source);
  const { campaign_id: id, name = id } = compiled.campaign;
  const { client_id } = ctx.principal;
  return inTransaction(ctx, async (tx) => {
    const draft = source as Record<string, unknown>;
    const [row] = await tx
      .insert(campaigns)
      .values({ client_id, id, name, state: "draft", draft })
      .onConflictDoUpdate({
        target: [campaigns.client_id, campaigns.id],
        set: { name, draft, updated_at: sql`clock_timestamp()` },
      })
      // A row that this statement made has no previous version.
      .returning({ state: campaigns.state, created: sql<boolean>`xmax = 0` });
    const { state, created } = row!;
    const action = created ? "campaign.create" : "campaign.redraft";
    await writeAudit(ctx, tx, { action, subject: `campaign:${id}`, details: { hash: compiled.hash } });
    return { campaign_id: id, state, warnings: await findWarnings(tx, client_id, compiled), created };
  });
}
