import { and, eq, gte, lt } from "drizzle-orm";
import { z } from "zod";

import { campaignIdSchema } from "../../core/campaign.ts";
import { readAttributionWindow } from "../../core/campaign-performance.ts";
import { formatDuration } from "../../core/duration.ts";
import { AppError } from "../../core/errors.ts";
import { campaignArms, campaignPerformance, campaigns, campaignVersions } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readAsOf } from "./as-of.ts";
import { judgeLift, liftSchema } from "./campaign-lift.ts";

const FIRST_DAY = "1970-01-01";
const LAST_DAY = "9999-12-31";

export const campaignReportInput = z
  .object({
    id: campaignIdSchema,
    start: z.iso.date().default(FIRST_DAY).meta({
      description:
        "The first day, in the client's time zone: messages that were due, and runs that began, on it or later.",
    }),
    end: z.iso.date().default(LAST_DAY).meta({ description: "The day after the last." }),
  })
  .refine(({ start }) => start > "0001", { path: ["start"], message: "is before all days" })
  .refine(({ start, end }) => start < end, { path: ["end"], message: "must be after start" });

const count = z.int();
const reasons = z.record(z.string(), count);
const figures = {
  messages: count.meta({ description: "All that came due: the sum of what became of them." }),
  sent: count.meta({ description: "Taken by the provider, whatever became of them then." }),
  delivered: count.meta({ description: "Said to have arrived; providers do not say so of every channel." }),
  opened: count,
  clicked: count,
  failed: count,
  unknown: count.meta({ description: "Handed over, and the answer was lost." }),
  skipped: count.meta({ description: "Not sent, for a reason." }),
  under_way: count,
  reasons: z.object({ failed: reasons, skipped: reasons }),
  attributed: z.object({
    orders: count.meta({
      description: "Purchases that followed a message, and no later one of any campaign, within the window.",
    }),
    revenue: z.record(z.string(), count).meta({ description: "Minor units by currency." }),
  }),
};

export const campaignReportSchema = z
  .object({
    campaign_id: campaignIdSchema,
    name: z.string(),
    attribution: z.object({ model: z.literal("last_touch"), window: z.string() }),
    ...figures,
    channels: z.array(z.object({ channel: z.string(), ...figures })),
    days: z.array(z.object({ day: z.iso.date(), ...figures })),
    lift: liftSchema.nullable().meta({ description: "Null where the campaign holds nobody out." }),
    as_of: z.iso.datetime().nullable(),
  })
  .meta({ id: "CampaignResults" });

export type CampaignReport = z.infer<typeof campaignReportSchema>;
type Figures = z.infer<z.ZodObject<typeof figures>>;
type PerformanceRow = typeof campaignPerformance.$inferSelect;

/** From the day's sums. Throws `not_found`. */
export async function reportCampaign(
  tx: Transaction,
  clientId: string,
  { id, start, end }: z.output<typeof campaignReportInput>,
): Promise<CampaignReport> {
  const isIt = and(eq(campaigns.client_id, clientId), eq(campaigns.id, id));
  const campaign = await tx.query.campaigns.findFirst({ where: isIt });
  if (campaign === undefined) throw new AppError("not_found", "There is no such campaign.");
  const rows = await tx.query.campaignPerformance.findMany({
    where: and(
      eq(campaignPerformance.client_id, clientId),
      eq(campaignPerformance.campaign_id, id),
      gte(campaignPerformance.day, start),
      lt(campaignPerformance.day, end),
    ),
  });
  const arms = await tx.query.campaignArms.findMany({
    where: and(
      eq(campaignArms.client_id, clientId),
      eq(campaignArms.campaign_id, id),
      gte(campaignArms.day, start),
      lt(campaignArms.day, end),
    ),
  });
  const byKey = (key: "channel" | "day") =>
    [...Map.groupBy(rows, (row) => row[key])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    campaign_id: id,
    name: campaign.name,
    attribution: { model: "last_touch", window: formatDuration(await readWindow(tx, campaign)) },
    ...sumUp(rows),
    channels: byKey("channel").map(([channel, theirs]) => ({ channel, ...sumUp(theirs) })),
    days: byKey("day").map(([day, theirs]) => ({ day, ...sumUp(theirs) })),
    lift: judgeLift(arms),
    as_of: await readAsOf(tx, clientId),
  };
}

async function readWindow(tx: Transaction, campaign: typeof campaigns.$inferSelect): Promise<number> {
  const { client_id, id, current_version, draft } = campaign;
  if (current_version === null) return readAttributionWindow(draft);
  const isCurrent = and(
    eq(campaignVersions.client_id, client_id),
    eq(campaignVersions.campaign_id, id),
    eq(campaignVersions.version, current_version),
  );
  return readAttributionWindow((await tx.query.campaignVersions.findFirst({ where: isCurrent }))?.source);
}

const COUNTS = [
  "messages", "sent", "delivered", "opened", "clicked", "failed", "unknown", "skipped", "under_way",
] as const; // prettier-ignore

function sumUp(rows: readonly PerformanceRow[]): Figures {
  const sums = COUNTS.map((name) => [name, rows.reduce((sum, row) => sum + row[name], 0)] as const);
  return {
    ...(Object.fromEntries(sums) as Record<(typeof COUNTS)[number], number>),
    reasons: {
      failed: addUp(rows.map((row) => row.reasons.failed ?? {})),
      skipped: addUp(rows.map((row) => row.reasons.skipped ?? {})),
    },
    attributed: {
      orders: rows.reduce((sum, row) => sum + row.attributed_orders, 0),
      revenue: addUp(rows.map((row) => row.attributed_revenue)),
    },
  };
}

function addUp(all: readonly Record<string, number>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const one of all) for (const [key, value] of Object.entries(one)) sums.set(key, (sums.get(key) ?? 0) + value);
  return Object.fromEntries(sums);
}
