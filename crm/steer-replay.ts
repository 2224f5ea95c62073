import { z } from "zod";

import type { ReplaySignal } from "../core/contracts/dead-letter-replay.ts";
import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { findReplay, type Replay, viewReplay } from "./dead-letter-replay.ts";

export const steerReplayInput = z.object({ id: z.guid() });

/**
 * `pause` after the page under way, `resume`, or `cancel`: what has not been put back stays open. Throws `conflict` where
 * the replay has ended.
 */
export async function steerReplay(
  ctx: CrmContext,
  input: z.input<typeof steerReplayInput>,
  signal: ReplaySignal,
): Promise<Replay> {
  requireScope(ctx, "admin");
  const { id } = parse(steerReplayInput, input, "request");
  const { client_id } = ctx.principal;
  const row = await findReplay(ctx, id);
  const isHeard = row.state === "running" && (await ctx.replays.signal(client_id, id, signal));
  if (!isHeard) throw new AppError("conflict", "The replay has ended.");
  const action = `dead-letters.replay.${signal}`;
  await inTransaction(ctx, (tx) => writeAudit(ctx, tx, { action, subject: `dead-letter-replay:${id}` }));
  return viewReplay(await findReplay(ctx, id), await ctx.replays.progress(client_id, id));
}
