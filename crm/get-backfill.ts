import { z } from "zod";

import { parse } from "../core/parse.ts";
import { type Backfill, findBackfill, viewBackfill } from "./backfill.ts";
import type { BackfillClient } from "./backfill-client.ts";
import { type CrmContext, requireScope } from "./context.ts";

export const getBackfillInput = z.object({ id: z.guid() });

/** How far it has come, and what was refused. */
export async function getBackfill(
  ctx: CrmContext,
  client: BackfillClient,
  input: z.input<typeof getBackfillInput>,
): Promise<Backfill> {
  requireScope(ctx, "admin");
  const { id } = parse(getBackfillInput, input, "request");
  const row = await findBackfill(ctx, id);
  if (row.state !== "running") return viewBackfill(row, null);
  const progress = await client.progress(row.client_id, id);
  // What its workflow knows to be over is in the row by now.
  return viewBackfill(progress?.state === "running" ? row : await findBackfill(ctx, id), progress);
}
