import { isUtf8 } from "node:buffer";

import { and, desc, eq } from "drizzle-orm";
import { z } from "zod";

import { LETTER_STATES } from "../core/dead-letter.ts";
import { parse } from "../core/parse.ts";
import { deadLetters } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, logAccess, requireScope } from "./context.ts";
import { afterCursor, isoTime, type Page, pageInput, timeSchema, toPage } from "./page.ts";

const STATES = LETTER_STATES;

export const listDeadLettersInput = z.object({
  stage: z.string().min(1).max(64).optional(),
  state: z.enum(STATES).default("open"),
  ...pageInput,
});

export const deadLetterSchema = z
  .object({
    id: z.guid(),
    stage: z.string(),
    reason: z.string(),
    event_id: z.string().nullable(),
    payload: z.object({ encoding: z.enum(["utf8", "base64"]), data: z.string() }),
    source: z.object({ shard: z.string(), sequence: z.string(), index: z.int() }),
    attempts: z.int(),
    history: z.array(z.object({ at: timeSchema, reason: z.string() })),
    state: z.enum(STATES),
    created_at: timeSchema,
  })
  .meta({ id: "DeadLetter" });

export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** Events that could not be processed, newest first. They hold what people sent, so this takes the scope `admin`. */
export async function listDeadLetters(
  ctx: CrmContext,
  input: z.input<typeof listDeadLettersInput>,
): Promise<Page<"dead_letters", DeadLetter>> {
  requireScope(ctx, "admin");
  const { stage, state, limit, cursor } = parse(listDeadLettersInput, input, "request");
  const rows = await inTransaction(ctx, (tx) => {
    const where = and(
      eq(deadLetters.client_id, ctx.principal.client_id),
      eq(deadLetters.state, state),
      stage === undefined ? undefined : eq(deadLetters.stage, stage),
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

function viewDeadLetter(row: typeof deadLetters.$inferSelect): DeadLetter {
  const encoding = isUtf8(row.payload) ? "utf8" : "base64";
  const { id, stage, reason, event_id, attempts, state } = row;
  return {
    id,
    stage,
    reason,
    event_id,
    attempts,
    state,
    payload: { encoding, data: row.payload.toString(encoding) },
    source: { shard: row.source_shard, sequence: row.source_sequence, index: row.source_index },
    history: row.history.map((entry) => ({ ...entry, at: isoTime(entry.at) })),
    created_at: isoTime(row.created_at),
  };
}
