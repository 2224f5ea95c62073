import { uuidOf } from "../../../core/uuid.ts";
import type { Context } from "../../../platform/context.ts";
import { deadLetters } from "../../../platform/postgres/schema.ts";
import type { RejectedEntry } from "./select-rows.ts";

const STAGE = "lake";
const LONGEST_REASON = 300;

/** Keeps entries that no row could be made of, whole, with why. The same entry is one dead letter, however often it comes. */
export async function rejectEntries(
  ctx: Pick<Context, "db" | "log">,
  shard: string,
  rejected: readonly RejectedEntry[],
): Promise<void> {
  for (const { entry, reason, clientId, eventId } of rejected) {
    const position = { source_shard: shard, source_sequence: entry.sequence, source_index: entry.index };
    const letter = {
      ...position,
      id: uuidOf(STAGE, shard, entry.sequence, String(entry.index)),
      client_id: storable(clientId),
      stage: STAGE,
      reason: storable(reason)?.slice(0, LONGEST_REASON) ?? "unknown",
      event_id: storable(eventId),
      payload: entry.data,
      attempts: 1,
    };
    await ctx.db.insert(deadLetters).values(letter).onConflictDoNothing();
    ctx.log.warn({ ...position, stage: STAGE }, "dead letter");
  }
}

/** PostgreSQL's text holds any character but U+0000. */
function storable(text: string | null): string | null {
  return text?.toWellFormed().replaceAll("\0", "\uFFFD") ?? null;
}
