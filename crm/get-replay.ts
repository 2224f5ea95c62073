import { z } from "zod";

import { parse } from "../core/parse.ts";
import { type CrmContext, requireScope } from "./context.ts";
import { findReplay, type Replay, viewReplay } from "./dead-letter-replay.ts";

export const getReplayInput = z.object({ id: z.guid() });

/** How far it has come: its workflow's word while it runs, its row's once it has ended. */
export async function getReplay(ctx: CrmContext, input: z.input<typeof getReplayInput>): Promise<Replay> {
  requireScope(ctx, "admin");
  const { id } = parse(getReplayInput, input, "request");
  const row = await findReplay(ctx, id);
  return viewReplay(row, row.state === "running" ? await ctx.replays.progress(row.client_id, id) : null);
}
