import { and, eq } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { deals } from "../platform/postgres/schema.ts";
import { findCompany } from "./company.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import {
  type Deal,
  dealFacts,
  dealKey,
  type DealRow,
  lockDeal,
  requireMoney,
  versionSchema,
  viewDeal,
} from "./deal.ts";
import { findContact } from "./find-contact.ts";
import { findPipeline, findStage } from "./pipeline.ts";
import { readChangeTime, recordDealChange } from "./record-deal-change.ts";

const { title, company_id, product_id, owner, source, amount_minor, currency, expected_close } = dealFacts;

export const dealPatchSchema = z.strictObject({
  version: versionSchema,
  title: title.optional(),
  ...z
    .object({
      company_id: company_id.nullable(),
      product_id: product_id.nullable(),
      owner: owner.nullable(),
      source: source.nullable(),
      amount_minor: amount_minor.nullable(),
      currency: currency.nullable(),
      expected_close: expected_close.nullable(),
    })
    .partial().shape,
});
const changeDealInput = dealPatchSchema.extend(dealKey);

/** What is named is changed, null takes it away; the rest stays. What changes nothing is not written. */
export async function changeDeal(ctx: CrmContext, input: z.input<typeof changeDealInput>): Promise<Deal> {
  requireScope(ctx, "admin");
  const { id, version, ...given } = parse(changeDealInput, input, "deal");
  const { client_id } = ctx.principal;
  return inTransaction(ctx, async (tx) => {
    const before = await lockDeal(tx, client_id, { id, version });
    if (given.company_id) await findCompany(tx, client_id, given.company_id);
    const pipeline = await findPipeline(tx, client_id, before.pipeline_id);
    const { kind } = findStage(pipeline, before.stage);
    const after = { ...before, ...withoutUndefined(given) };
    requireMoney(after);
    if (isSame(before, after)) return viewDeal(before, kind);
    const at = await readChangeTime(tx, before.updated_at);
    const [deal] = await tx
      .update(deals)
      .set({ ...after, version: version + 1, updated_at: at })
      .where(and(eq(deals.client_id, client_id), eq(deals.id, id)))
      .returning();
    const { person_key: personKey } = await findContact(tx, client_id, before.contact_id);
    await recordDealChange(ctx, tx, { deal: deal!, kind, previous: before.stage, personKey });
    return viewDeal(deal!, kind);
  });
}

function withoutUndefined(given: Partial<Record<keyof DealRow, unknown>>): Partial<DealRow> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function isSame(before: DealRow, after: DealRow): boolean {
  return Object.entries(after).every(([name, value]) => before[name as keyof DealRow] === value);
}
