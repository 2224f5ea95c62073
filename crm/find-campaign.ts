import { and, eq } from "drizzle-orm";

import { AppError } from "../core/errors.ts";
import { campaigns } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";

export { campaignIdSchema } from "../core/campaign.ts";

export type CampaignRow = typeof campaigns.$inferSelect;

export async function findCampaign(tx: Transaction, clientId: string, id: string): Promise<CampaignRow> {
  const where = and(eq(campaigns.client_id, clientId), eq(campaigns.id, id));
  const campaign = await tx.query.campaigns.findFirst({ where });
  if (!campaign) throw new AppError("not_found", "There is no such campaign.");
  return campaign;
}

/** Held until the transaction ends: publishing, pausing and resuming take turns. */
export async function lockCampaign(tx: Transaction, clientId: string, id: string): Promise<CampaignRow> {
  const where = and(eq(campaigns.client_id, clientId), eq(campaigns.id, id));
  const [campaign] = await tx.select().from(campaigns).where(where).for("update");
  if (!campaign) throw new AppError("not_found", "There is no such campaign.");
  return campaign;
}
