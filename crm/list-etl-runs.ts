import { and, desc, eq } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { etlRuns } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type EtlRun, viewEtlRun } from "./etl-run.ts";
import { afterCursor, type Page, pageInput, toPage } from "./page.ts";

export const listEtlRunsInput = z.object(pageInput);

/** Newest first. One that runs is shown without its progress: that its workflow has. */
export async function listEtlRuns(
  ctx: CrmContext,
  input: z.input<typeof listEtlRunsInput>,
): Promise<Page<"runs", EtlRun>> {
  requireScope(ctx, "admin");
  const { limit, cursor } = parse(listEtlRunsInput, input, "request");
  const { client_id, created_at, id } = etlRuns;
  const where = and(eq(client_id, ctx.principal.client_id), afterCursor(created_at, id, cursor));
  const orderBy = [desc(created_at), desc(id)];
  const rows = await inTransaction(ctx, (tx) => tx.query.etlRuns.findMany({ where, orderBy, limit: limit + 1 }));
  return toPage("runs", rows, {
    limit,
    placeOf: (row) => ({ at: row.created_at, id: row.id }),
    view: (row) => viewEtlRun(row, null),
  });
}
