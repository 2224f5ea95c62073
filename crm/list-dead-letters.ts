import { and, desc, eq } from "drizzle-orm";
import { z } from "zod";

import { letterFilterShape, letterStateSchema } from "../core/dead-letter-selection.ts";
import { parse } from "../core/parse.ts";
import { whereFilter } from "../platform/dead-letter-search.ts";
import { deadLetters } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, logAccess, requireScope } from "./context.ts";
import { type DeadLetter, viewDeadLetter } from "./dead-letter.ts";
import { afterCursor, type Page, pageInput, toPage } from "./page.ts";

export const listDeadLettersInput = z.object({
  ...letterFilterShape,
  state: letterStateSchema.default("open"),
  replay_id: z.guid().optional().meta({ description: "Taken up last by this replay." }),
  ...pageInput,
});

/** Events that could not be processed, newest first. They hold what people sent, so this takes the scope `admin`. */
export async function listDeadLetters(
  ctx: CrmContext,
  input: z.input<typeof listDeadLettersInput>,
): Promise<Page<"dead_letters", DeadLetter>> {
  requireScope(ctx, "admin");
  const { state, replay_id, limit, cursor, ...filter } = parse(listDeadLettersInput, input, "request");
  const rows = await inTransaction(ctx, (tx) => {
    const where = and(
      whereFilter(ctx.principal.client_id, filter),
      eq(deadLetters.state, state),
      replay_id === undefined ? undefined : eq(deadLetters.replay_id, replay_id),
      afterCursor(deadLetters.created_at, deadLetters.id, cursor),
    );
    const orderBy = [desc(deadLetters.created_at), desc(deadLetters.id)];
    return tx.query.deadLetters.findMany({ where, orderBy, limit: limit + 1 });
  });
  logAccess(ctx, "dead-letters.list", `count:${Math.min(rows.length, limit)}`);
  return toPage("dead_letters", rows, {
    limit,
    placeOf: (row) => ({ at: row.created_at, id: row.id }),
    view: viewDeadLetter,
  });
}
