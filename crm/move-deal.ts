import { and, eq } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { stageKeySchema } from "../core/pipeline/pipeline.ts";
import { deals } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type Deal, dealKey, lockDeal, reasonSchema, requireReason, versionSchema, viewDeal } from "./deal.ts";
import { findContact } from "./find-contact.ts";
import { findPipeline, findStage } from "./pipeline.ts";
import { readChangeTime, recordDealChange } from "./record-deal-change.ts";

export const dealMoveSchema = z.strictObject({
  version: versionSchema,
  stage: stageKeySchema.meta({
    description: "Of the deal's own pipeline, any: forwards, back, or out of a closed one.",
  }),
  reason: reasonSchema.optional(),
});
const moveDealInput = dealMoveSchema.extend(dealKey);

/**
 * Into another stage of its pipeline; into one of the kind `won` or `lost` closes it, out of it opens it again. Being there
 * already is fine.
 */
export async function moveDeal(ctx: CrmContext, input: z.input<typeof moveDealInput>): Promise<Deal> {
  requireScope(ctx, "admin");
  const { id, version, stage, reason = null } = parse(moveDealInput, input, "deal");
  const { client_id } = ctx.principal;
  return inTransaction(ctx, async (tx) => {
    const before = await lockDeal(tx, client_id, { id, version });
    const { kind } = findStage(await findPipeline(tx, client_id, before.pipeline_id), stage);
    if (before.stage === stage) return viewDeal(before, kind);
    requireReason(kind, reason);
    const at = await readChangeTime(tx, before.updated_at);
    const closed_at = kind === "open" ? null : at;
    const [deal] = await tx
      .update(deals)
      .set({ stage, reason, closed_at, version: version + 1, updated_at: at })
      .where(and(eq(deals.client_id, client_id), eq(deals.id, id)))
      .returning();
    const { person_key: personKey } = await findContact(tx, client_id, before.contact_id);
    await recordDealChange(ctx, tx, { deal: deal!, kind, previous: before.stage, personKey });
    return viewDeal(deal!, kind);
  });
}
