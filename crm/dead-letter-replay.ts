import { and, eq } from "drizzle-orm";
import { z } from "zod";

import { NO_REPLAY_COUNTS, type ReplayProgress } from "../core/contracts/dead-letter-replay.ts";
import { letterSelectionSchema } from "../core/dead-letter-selection.ts";
import { AppError } from "../core/errors.ts";
import { patchSchema } from "../core/patch.ts";
import { deadLetterReplays } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction } from "./context.ts";
import { isoTime, timeSchema } from "./page.ts";

const count = z.int().min(0);

export const replaySchema = z
  .object({
    id: z.guid(),
    state: z.enum(["running", "paused", "done", "cancelled"]),
    counts: z.object({
      taken: count.meta({ description: "Came through." }),
      duplicate: count.meta({ description: "An event with the same id had come through before." }),
      failed_again: count.meta({ description: "Back as dead letters that name the first in `replay_of`." }),
      refused: count.meta({ description: "Still open: what the patch made of them is no event." }),
    }),
    selection: letterSelectionSchema,
    patch: patchSchema.nullable(),
    rate_per_second: z.int(),
    note: z.string().nullable(),
    actor: z.string(),
    created_at: timeSchema,
    ended_at: timeSchema.nullable(),
  })
  .meta({ id: "DeadLetterReplay" });

export type Replay = z.infer<typeof replaySchema>;
export type ReplayRow = typeof deadLetterReplays.$inferSelect;

/** As its row has it; `progress` is what its workflow says, while it runs. */
export function viewReplay(row: ReplayRow, progress: ReplayProgress | null): Replay {
  const { id, rate_per_second, note, actor } = row;
  const isOver = row.state !== "running";
  return {
    id,
    rate_per_second,
    note,
    actor,
    state: isOver ? row.state : (progress?.state ?? "running"),
    counts: { ...NO_REPLAY_COUNTS, ...(isOver ? row.counts : progress?.counts) },
    selection: row.selection as Replay["selection"],
    patch: row.patch as Replay["patch"],
    created_at: isoTime(row.created_at),
    ended_at: isoTime(row.ended_at),
  };
}

/** Throws `not_found`. */
export async function findReplay(ctx: CrmContext, id: string): Promise<ReplayRow> {
  const where = and(eq(deadLetterReplays.client_id, ctx.principal.client_id), eq(deadLetterReplays.id, id));
  const row = await inTransaction(ctx, (tx) => tx.query.deadLetterReplays.findFirst({ where }));
  if (row === undefined) throw new AppError("not_found", "There is no such replay.");
  return row;
}
