import { and, desc, eq } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { backfills } from "../platform/postgres/schema.ts";
import { backfillSchema, viewBackfill } from "./backfill.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { afterCursor, type Page, pageInput, toPage } from "./page.ts";

export const listBackfillsInput = z.object(pageInput);
export const listedBackfillSchema = backfillSchema
  .omit({ rejects: true, reject_groups: true, mapping: true, is_held_up: true })
  .meta({ id: "ListedBackfill" });
type ListedBackfill = z.infer<typeof listedBackfillSchema>;

/** Newest first; one that pauses is shown as running: that its workflow knows. */
export async function listBackfills(
  ctx: CrmContext,
  input: z.input<typeof listBackfillsInput>,
): Promise<Page<"backfills", ListedBackfill>> {
  requireScope(ctx, "admin");
  const { limit, cursor } = parse(listBackfillsInput, input, "request");
  const { client_id, created_at, id } = backfills;
  const where = and(eq(client_id, ctx.principal.client_id), afterCursor(created_at, id, cursor));
  const orderBy = [desc(created_at), desc(id)];
  const rows = await inTransaction(ctx, (tx) => tx.query.backfills.findMany({ where, orderBy, limit: limit + 1 }));
  return toPage("backfills", rows, {
    limit,
    placeOf: (row) => ({ at: row.created_at, id: row.id }),
    view: (row) => listedBackfillSchema.parse(viewBackfill(row, null)),
  });
}
