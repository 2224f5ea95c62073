import { and, desc, eq } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { deadLetterReplays } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type Replay, viewReplay } from "./dead-letter-replay.ts";
import { afterCursor, type Page, pageInput, toPage } from "./page.ts";

export const listReplaysInput = z.object(pageInput);

/** Newest first. One that runs is shown without its counts: those its workflow has. */
export async function listReplays(
  ctx: CrmContext,
  input: z.input<typeof listReplaysInput>,
): Promise<Page<"replays", Replay>> {
  requireScope(ctx, "admin");
  const { limit, cursor } = parse(listReplaysInput, input, "request");
  const { client_id, created_at, id } = deadLetterReplays;
  const where = and(eq(client_id, ctx.principal.client_id), afterCursor(created_at, id, cursor));
  const orderBy = [desc(created_at), desc(id)];
  const rows = await inTransaction(ctx, (tx) =>
    tx.query.deadLetterReplays.findMany({ where, orderBy, limit: limit + 1 }),
  );
  return toPage("replays", rows, {
    limit,
    placeOf: (row) => ({ at: row.created_at, id: row.id }),
    view: (row) => viewReplay(row, null),
  });
}
