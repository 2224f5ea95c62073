import { randomUUID } from "node:crypto";

import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { pipelineIdSchema, stageKeySchema } from "../core/pipeline/pipeline.ts";
import { deals } from "../platform/postgres/schema.ts";
import { findCompany } from "./company.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type Deal, dealFacts, findDeal, reasonSchema, requireMoney, requireReason, viewDeal } from "./deal.ts";
import { contactIdSchema, findContact } from "./find-contact.ts";
import { findPipeline, findStage, type PipelineView } from "./pipeline.ts";
import { readChangeTime, recordDealChange } from "./record-deal-change.ts";

const { title, ...facts } = dealFacts;

export const createDealInput = z.strictObject({
  deal_id: z
    .guid()
    .optional()
    .meta({ description: "Of your own making, so that the same request may be sent again: it makes one deal." }),
  title,
  contact_id: contactIdSchema,
  ...z.object(facts).partial().shape,
  pipeline_id: pipelineIdSchema.optional().meta({ description: "The default one where it is left out." }),
  stage: stageKeySchema.optional().meta({ description: "The first open one where it is left out." }),
  reason: reasonSchema.optional(),
});

/** A deal that is there already stays as it is and is the answer. */
export async function createDeal(
  ctx: CrmContext,
  input: z.input<typeof createDealInput>,
): Promise<{ deal: Deal; created: boolean }> {
  requireScope(ctx, "admin");
  const {
    deal_id: id = randomUUID(),
    contact_id,
    pipeline_id,
    stage: wanted,
    ...given
  } = parse(createDealInput, input, "deal");
  const { client_id } = ctx.principal;
  return inTransaction(ctx, async (tx) => {
    const contact = await findContact(tx, client_id, contact_id);
    if (given.company_id !== undefined) await findCompany(tx, client_id, given.company_id);
    const pipeline = await findPipeline(tx, client_id, pipeline_id);
    const { stage, kind } = findStage(pipeline, wanted ?? firstStage(pipeline));
    const { amount_minor = null, currency = null, reason = null, source = contact.source } = given;
    requireMoney({ amount_minor, currency });
    requireReason(kind, reason);
    const at = await readChangeTime(tx);
    const times = { created_at: at, updated_at: at, closed_at: kind === "open" ? null : at };
    const row = { ...given, client_id, id, version: 1, contact_id: contact.id, source };
    const [deal] = await tx
      .insert(deals)
      .values({ ...row, pipeline_id: pipeline.pipeline_id, stage, ...times })
      .onConflictDoNothing()
      .returning();
    if (!deal) return { deal: await findMade(tx, client_id, id), created: false };
    await recordDealChange(ctx, tx, { deal, kind, previous: null, personKey: contact.person_key });
    return { deal: viewDeal(deal, kind), created: true };
  });
}

async function findMade(...where: Parameters<typeof findDeal>): Promise<Deal> {
  const made = await findDeal(...where);
  // Deals are never removed.
  if (!made) throw new AppError("unavailable", "The deal is being made.", { retryAfterMs: 1_000 });
  return made;
}

function firstStage({ stages }: PipelineView): string {
  return stages.find((stage) => stage.kind === "open")!.stage;
}
