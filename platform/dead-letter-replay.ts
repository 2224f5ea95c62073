import { and, eq, gte, inArray, isNull, lte, ne, or, sql } from "drizzle-orm";

import type { LetterEvent, LetterOutcome, LetterState } from "../core/dead-letter.ts";
import type { LetterSelection } from "../core/dead-letter-selection.ts";
import type { Position } from "../core/position.ts";
import { storableJson } from "./dead-letters.ts";
import { IN_ORDER, whereSelection } from "./dead-letter-search.ts";
import type { Database } from "./postgres/database.ts";
import { deadLetterReplays, deadLetters } from "./postgres/schema.ts";

export type LetterRow = typeof deadLetters.$inferSelect;
export type ReplayRow = typeof deadLetterReplays.$inferSelect;

/** The next letters of a replay, taken so that no other replay takes them too; first those it had taken and not finished. */
export async function takeLetters(
  db: Database,
  replay: ReplayRow,
  { limit, after }: { limit: number; after?: string },
): Promise<LetterRow[]> {
  const mine = and(
    eq(deadLetters.client_id, replay.client_id),
    eq(deadLetters.replay_id, replay.id),
    eq(deadLetters.state, "replaying"),
  );
  const begun = await db
    .select()
    .from(deadLetters)
    .where(mine)
    .orderBy(...IN_ORDER)
    .limit(limit);
  if (begun.length > 0) return begun;
  const fresh = and(
    whereSelection(replay.client_id, replay.selection as LetterSelection),
    eq(deadLetters.state, "open"),
    // What it has looked at and refused; what fails again comes after it began.
    or(isNull(deadLetters.replay_id), ne(deadLetters.replay_id, replay.id)),
    lte(deadLetters.created_at, replay.created_at),
    after === undefined ? undefined : gte(deadLetters.created_at, after),
  );
  return db.transaction(async (tx) => {
    const rows = await tx
      .select()
      .from(deadLetters)
      .where(fresh)
      .orderBy(...IN_ORDER)
      .limit(limit)
      .for("update", { skipLocked: true });
    const ids = rows.map((row) => row.id);
    if (ids.length === 0) return [];
    await tx.update(deadLetters).set({ state: "replaying", replay_id: replay.id }).where(inArray(deadLetters.id, ids));
    return rows;
  });
}

/** What has become of a letter that the replay holds; what is left out stays as it is. */
export interface LetterChange {
  id: string;
  state?: LetterState;
  outcome?: LetterOutcome;
  place?: Position;
  event: Omit<LetterEvent, "at">;
}

/** One statement for all. A letter that the replay no longer holds is not touched: it was written down before. */
export async function recordLetters(db: Database, replay: ReplayRow, changes: readonly LetterChange[]): Promise<void> {
  if (changes.length === 0) return;
  const at = new Date().toISOString();
  const rows = changes.map(({ event, ...change }) => ({ ...change, event: { at, ...event } }));
  await db.execute(sql`
    update dead_letters letter
    set state = coalesce(change.state, letter.state), outcome = coalesce(change.outcome, letter.outcome),
      replay_place = coalesce(change.place, letter.replay_place), history = letter.history || change.event
    from jsonb_to_recordset(${JSON.stringify(storableJson(rows))}::jsonb)
      as change(id uuid, state text, outcome text, place jsonb, event jsonb)
    where letter.id = change.id and letter.client_id = ${replay.client_id} and letter.replay_id = ${replay.id}
      and letter.state = 'replaying'`);
}
