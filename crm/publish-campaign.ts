import { and, eq, max, sql } from "drizzle-orm";
import { z } from "zod";

import { campaignIdSchema } from "../core/campaign.ts";
import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { campaigns, campaignVersions } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";
import { announceCampaigns } from "./announce-campaigns.ts";
import { CAMPAIGN_STATES, warningSchema } from "./campaign.ts";
import { type CompiledCampaign, compileDraft, findWarnings } from "./compile-draft.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { type CampaignRow, lockCampaign } from "./find-campaign.ts";

export const publishCampaignInput = z.object({ id: campaignIdSchema });

export const publishedCampaignSchema = z
  .object({
    campaign_id: campaignIdSchema,
    version: z.int(),
    hash: z.string().meta({ description: "SHA-256 of the journey." }),
    state: z.enum(CAMPAIGN_STATES),
    unchanged: z.boolean().meta({ description: "The draft was published already; no new version was made." }),
    warnings: z.array(warningSchema),
  })
  .meta({ id: "PublishedCampaign" });

export type PublishedCampaign = z.infer<typeof publishedCampaignSchema>;

/**
 * The draft becomes the next version, which never changes again and which new entries run from now on; who is under way
 * finishes what they began. A draft that is the current version already makes none. A paused campaign stays paused.
 */
export async function publishCampaign(
  ctx: CrmContext,
  input: z.input<typeof publishCampaignInput>,
): Promise<PublishedCampaign> {
  requireScope(ctx, "admin");
  const { id } = parse(publishCampaignInput, input, "request");
  const published = await inTransaction(ctx, async (tx) => {
    const campaign = await lockCampaign(tx, ctx.principal.client_id, id);
    if (campaign.state === "archived") throw new AppError("conflict", "The campaign is archived.");
    return publish(ctx, tx, campaign, compileDraft(campaign.draft));
  });
  await announceCampaigns(ctx);
  return published;
}

async function publish(ctx: CrmContext, tx: Transaction, campaign: CampaignRow, compiled: CompiledCampaign) {
  const { hash } = compiled;
  const warnings = await findWarnings(tx, campaign.client_id, compiled);
  const common = { campaign_id: campaign.id, hash, warnings };
  const { current_version } = campaign;
  if (current_version !== null && (await hashOf(tx, campaign, current_version)) === hash) {
    return { ...common, version: current_version, state: campaign.state, unchanged: true };
  }
  const version = await addVersion(tx, campaign, compiled);
  const state = campaign.state === "draft" ? "active" : campaign.state;
  await tx
    .update(campaigns)
    .set({ current_version: version, state, updated_at: sql`clock_timestamp()` })
    .where(isCampaign(campaign));
  await writeAudit(ctx, tx, {
    action: "campaign.publish",
    subject: `campaign:${campaign.id}`,
    details: { version, hash },
  });
  return { ...common, version, state, unchanged: false };
}

async function addVersion(tx: Transaction, campaign: CampaignRow, compiled: CompiledCampaign): Promise<number> {
  const ofCampaign = and(
    eq(campaignVersions.client_id, campaign.client_id),
    eq(campaignVersions.campaign_id, campaign.id),
  );
  const [latest] = await tx
    .select({ version: max(campaignVersions.version) })
    .from(campaignVersions)
    .where(ofCampaign);
  const version = (latest?.version ?? 0) + 1;
  await tx.insert(campaignVersions).values({
    client_id: campaign.client_id,
    campaign_id: campaign.id,
    version,
    hash: compiled.hash,
    source: campaign.draft,
    journey: compiled.definition,
  });
  return version;
}

async function hashOf(tx: Transaction, campaign: CampaignRow, version: number): Promise<string | undefined> {
  const row = await tx.query.campaignVersions.findFirst({
    columns: { hash: true },
    where: and(
      eq(campaignVersions.client_id, campaign.client_id),
      eq(campaignVersions.campaign_id, campaign.id),
      eq(campaignVersions.version, version),
    ),
  });
  return row?.hash;
}

function isCampaign({ client_id, id }: CampaignRow) {
  return and(eq(campaigns.client_id, client_id), eq(campaigns.id, id));
}
