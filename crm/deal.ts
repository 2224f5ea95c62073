import { and, eq, type SQL } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { CURRENCY_EXPONENTS, NO_CURRENCY } from "../core/money.ts";
import { pipelineIdSchema, STAGE_KINDS, type StageKind, stageKeySchema } from "../core/pipeline/pipeline.ts";
import { deals, pipelineStages } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";
import { isoTime, project, timeSchema } from "./page.ts";

/** A hundred million million: the sums of very many deals are still whole numbers. */
const MAX_AMOUNT_MINOR = 1e14;

const text = (max: number) => z.string().trim().min(1).max(max);

/** What may be said of a deal, when it is made and later. */
export const dealFacts = {
  title: text(300),
  company_id: z.guid(),
  product_id: text(256),
  owner: text(200).meta({ description: "Who looks after it." }),
  source: text(200).meta({ description: "Where it came from; the contact's source where it is left out at first." }),
  amount_minor: z
    .int()
    .min(0)
    .max(MAX_AMOUNT_MINOR)
    .meta({ description: "Minor units of `currency`, which it needs." }),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, "is no currency (ISO 4217)")
    .refine((code) => CURRENCY_EXPONENTS.has(code) && code !== NO_CURRENCY, "is no currency (ISO 4217)"),
  expected_close: z.iso.date(),
};
export const reasonSchema = text(1_000).meta({ description: "Why it was lost, or won; a lost deal needs one." });
export const dealKey = { id: z.guid().meta({ description: "The deal's `deal_id`." }) };
export const versionSchema = z
  .int()
  .min(1)
  .max(2_147_483_647)
  .meta({ description: "That of the deal as you have seen it: if it has changed meanwhile, the answer is 409." });

export const dealSchema = z
  .object({
    deal_id: z.guid(),
    version: z.int(),
    title: z.string(),
    contact_id: z.guid(),
    company_id: z.guid().nullable(),
    product_id: z.string().nullable(),
    pipeline_id: pipelineIdSchema,
    stage: stageKeySchema,
    stage_kind: z.enum(STAGE_KINDS),
    owner: z.string().nullable(),
    source: z.string().nullable(),
    amount_minor: z.int().nullable(),
    currency: z.string().nullable(),
    expected_close: z.iso.date().nullable(),
    reason: z.string().nullable(),
    created_at: timeSchema,
    updated_at: timeSchema,
    closed_at: timeSchema.nullable().meta({ description: "When it was won or lost; null while it is open." }),
  })
  .meta({ id: "Deal" });

export type Deal = z.infer<typeof dealSchema>;
export type DealRow = typeof deals.$inferSelect;

export function viewDeal(row: DealRow, stage_kind: StageKind): Deal {
  const { created_at, updated_at, closed_at } = row;
  const times = { created_at: isoTime(created_at), updated_at: isoTime(updated_at), closed_at: isoTime(closed_at) };
  return project(dealSchema, { ...row, deal_id: row.id, stage_kind, ...times });
}

/** Deals and the kinds of the stages they are in. */
export function selectDeals(tx: Transaction, clientId: string, where: SQL | undefined) {
  const isStage = and(
    eq(pipelineStages.client_id, deals.client_id),
    eq(pipelineStages.pipeline_id, deals.pipeline_id),
    eq(pipelineStages.stage, deals.stage),
  );
  return tx
    .select({ deal: deals, kind: pipelineStages.kind })
    .from(deals)
    .innerJoin(pipelineStages, isStage)
    .where(and(eq(deals.client_id, clientId), where));
}

export async function findDeal(tx: Transaction, clientId: string, id: string): Promise<Deal | undefined> {
  const [found] = await selectDeals(tx, clientId, eq(deals.id, id));
  return found && viewDeal(found.deal, found.kind);
}

/**
 * Held until the transaction ends. Throws `conflict` where it is not at the version that its changer has seen.
 */
export async function lockDeal(
  tx: Transaction,
  clientId: string,
  { id, version }: { id: string; version: number },
): Promise<DealRow> {
  const where = and(eq(deals.client_id, clientId), eq(deals.id, id));
  const [deal] = await tx.select().from(deals).where(where).for("update");
  if (!deal) throw new AppError("not_found", "There is no such deal.");
  if (deal.version !== version) {
    throw new AppError("conflict", `The deal has changed meanwhile: it is at version ${deal.version}, not ${version}.`);
  }
  return deal;
}

/** Throws `invalid` where there is an amount without a currency or the other way round. */
export function requireMoney({ amount_minor, currency }: Pick<DealRow, "amount_minor" | "currency">): void {
  if ((amount_minor === null) === (currency === null)) return;
  const fault =
    currency === null
      ? { path: "/currency", reason: "is needed beside amount_minor" }
      : { path: "/amount_minor", reason: "is needed beside currency" };
  throw new AppError("invalid", "The deal is not valid.", { faults: [fault] });
}

/** Throws `invalid` where a deal is lost without a reason. */
export function requireReason(kind: StageKind, reason: string | null): void {
  if (kind !== "lost" || reason !== null) return;
  throw new AppError("invalid", "The deal is not valid.", {
    faults: [{ path: "/reason", reason: "is needed where the deal is lost" }],
  });
}
