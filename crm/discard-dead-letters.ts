import { and, eq, inArray, sql } from "drizzle-orm";
import { z } from "zod";

import { letterSelectionSchema } from "../core/dead-letter-selection.ts";
import { parse } from "../core/parse.ts";
import { IN_ORDER, whereSelection } from "../platform/dead-letter-search.ts";
import { deadLetters } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";

const MAX_AT_ONCE = 10_000;

export const discardDeadLettersBody = z
  .strictObject({
    selection: letterSelectionSchema,
    reason: z.string().min(1).max(300).meta({ description: "Why nobody will want them back; kept with each." }),
  })
  .meta({ id: "DeadLetterDiscard" });

export const discardedSchema = z.object({
  discarded: z.int(),
  remaining: z.int().meta({ description: `Open ones that the selection still has; ${MAX_AT_ONCE} go at once.` }),
});

/** They stay, with who gave them up and why; nothing takes them up again. */
export async function discardDeadLetters(
  ctx: CrmContext,
  input: z.input<typeof discardDeadLettersBody>,
): Promise<z.infer<typeof discardedSchema>> {
  requireScope(ctx, "admin");
  const { selection, reason } = parse(discardDeadLettersBody, input, "body");
  const { client_id, actor } = ctx.principal;
  const open = and(whereSelection(client_id, selection), eq(deadLetters.state, "open"));
  const entry = JSON.stringify({ at: new Date().toISOString(), reason: `discarded: ${reason}`, actor });
  return inTransaction(ctx, async (tx) => {
    const some = tx
      .select({ id: deadLetters.id })
      .from(deadLetters)
      .where(open)
      .orderBy(...IN_ORDER)
      .limit(MAX_AT_ONCE)
      .for("update");
    const rows = await tx
      .update(deadLetters)
      .set({ state: "discarded", history: sql`${deadLetters.history} || ${entry}::jsonb` })
      .where(and(eq(deadLetters.client_id, client_id), inArray(deadLetters.id, some)))
      .returning({ id: deadLetters.id });
    const discarded = rows.length;
    if (discarded > 0) {
      const details = { discarded, reason };
      await writeAudit(ctx, tx, { action: "dead-letters.discard", subject: `dead-letter:${rows[0]?.id}`, details });
    }
    return { discarded, remaining: await tx.$count(deadLetters, open) };
  });
}
