import { randomUUID } from "node:crypto";

import { z } from "zod";

import { MAX_REPLAY_RATE } from "../core/contracts/dead-letter-replay.ts";
import { letterSelectionSchema } from "../core/dead-letter-selection.ts";
import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { namesOneEvent, patchSchema } from "../core/patch.ts";
import { deadLetterReplays } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { findReplay, type Replay, viewReplay } from "./dead-letter-replay.ts";

export const startReplayBody = z
  .strictObject({
    id: z.guid().optional().meta({ description: "Of the replay: asking again under the same id is asking once." }),
    selection: letterSelectionSchema,
    patch: patchSchema.optional().meta({ description: "Done to each letter before it goes back." }),
    rate_per_second: z.int().min(1).max(MAX_REPLAY_RATE).default(100),
    note: z.string().min(1).max(300).optional(),
  })
  .meta({ id: "DeadLetterReplayRequest" });

/**
 * Puts open letters back to where they failed. Those that come in meanwhile, or fail again, are not part of it. Throws
 * `unavailable` where Temporal is away: asking again under the same id starts it.
 */
export async function startReplay(ctx: CrmContext, input: z.input<typeof startReplayBody>): Promise<Replay> {
  requireScope(ctx, "admin");
  const { id = randomUUID(), selection, patch, rate_per_second, note } = parse(startReplayBody, input, "body");
  const isOne = "ids" in selection && selection.ids.length === 1;
  if (patch && namesOneEvent(patch) && !isOne) {
    const faults = [{ path: "/patch", reason: "would make all letters one event: name one letter, or use derive_id" }];
    throw new AppError("invalid", "The body is not valid.", { faults });
  }
  const { client_id, actor, request_id } = ctx.principal;
  await inTransaction(ctx, async (tx) => {
    const values = { id, client_id, selection, patch, rate_per_second, note, actor, request_id };
    const made = await tx
      .insert(deadLetterReplays)
      .values(values)
      .onConflictDoNothing()
      .returning({ id: deadLetterReplays.id });
    if (made.length === 0) return;
    const details = { rate_per_second, operations: patch?.length ?? 0 };
    await writeAudit(ctx, tx, { action: "dead-letters.replay", subject: `dead-letter-replay:${id}`, details });
  });
  const row = await findReplay(ctx, id);
  // The first asker's, where it was asked before.
  if (row.state === "running") {
    await ctx.replays.start({ client_id, replay_id: id, rate_per_second: row.rate_per_second });
  }
  return viewReplay(row, null);
}
