import { and, desc, eq, lt } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { dealChanges } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { dealKey, dealSchema, findDeal } from "./deal.ts";
import { isoTime, type Page, pageInput, project, timeSchema } from "./page.ts";

export const dealChangeSchema = dealSchema
  .pick({
    version: true,
    pipeline_id: true,
    stage: true,
    owner: true,
    source: true,
    amount_minor: true,
    currency: true,
    expected_close: true,
    reason: true,
  })
  .extend({ at: timeSchema, actor: z.string() })
  .meta({ id: "DealChange" });

export type DealChangeView = z.infer<typeof dealChangeSchema>;

export const listDealChangesInput = z.object({
  ...dealKey,
  limit: pageInput.limit,
  cursor: z
    .string()
    .regex(/^\d{1,9}$/, "is not a cursor that this list gave out")
    .optional()
    .meta({ description: "`next_cursor` of the page before." }),
});

/** What each change has made of a deal, newest first. */
export async function listDealChanges(
  ctx: CrmContext,
  input: z.input<typeof listDealChangesInput>,
): Promise<Page<"changes", DealChangeView>> {
  requireScope(ctx, "read");
  const { id, limit, cursor } = parse(listDealChangesInput, input, "request");
  const { client_id } = ctx.principal;
  const rows = await inTransaction(ctx, async (tx) => {
    if (!(await findDeal(tx, client_id, id))) throw new AppError("not_found", "There is no such deal.");
    const where = and(
      eq(dealChanges.client_id, client_id),
      eq(dealChanges.deal_id, id),
      cursor === undefined ? undefined : lt(dealChanges.version, Number(cursor)),
    );
    return tx.query.dealChanges.findMany({ where, orderBy: desc(dealChanges.version), limit: limit + 1 });
  });
  const changes = rows.slice(0, limit).map((row) => project(dealChangeSchema, { ...row, at: isoTime(row.at) }));
  return { changes, next_cursor: rows.length > limit ? String(changes.at(-1)!.version) : null };
}
