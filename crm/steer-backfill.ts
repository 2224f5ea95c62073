import { z } from "zod";

import type { BackfillSignal } from "../core/contracts/backfill.ts";
import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { type Backfill, findBackfill, viewBackfill } from "./backfill.ts";
import type { BackfillClient } from "./backfill-client.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";

export const steerBackfillInput = z.object({ id: z.guid() });

/**
 * `pause` after the pages under way (some seconds), `resume`, or `cancel`: what has been loaded stays. Throws `conflict` where it has
 * ended.
 */
export async function steerBackfill(
  ctx: CrmContext,
  client: BackfillClient,
  input: z.input<typeof steerBackfillInput>,
  signal: BackfillSignal,
): Promise<Backfill> {
  requireScope(ctx, "admin");
  const { id } = parse(steerBackfillInput, input, "request");
  const { client_id } = ctx.principal;
  const row = await findBackfill(ctx, id);
  const isHeard = row.state === "running" && (await client.signal(client_id, id, signal));
  if (!isHeard) throw new AppError("conflict", "The backfill has ended.");
  const audit = { action: `backfill.${signal}`, subject: `backfill:${id}` };
  await inTransaction(ctx, (tx) => writeAudit(ctx, tx, audit));
  return viewBackfill(await findBackfill(ctx, id), await client.progress(client_id, id));
}
