import { z } from "zod";

import type { EtlSignal } from "../core/contracts/etl.ts";
import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { type EtlClient, type EtlRun, findEtlRun, viewEtlRun } from "./etl-run.ts";

export const steerEtlRunInput = z.object({ id: z.guid() });

/** `pause` after the page under way, `resume`, or `cancel`: what is done stays done. Throws `conflict` where it has ended. */
export async function steerEtlRun(
  ctx: CrmContext,
  client: EtlClient,
  input: z.input<typeof steerEtlRunInput>,
  signal: EtlSignal,
): Promise<EtlRun> {
  requireScope(ctx, "admin");
  const { id } = parse(steerEtlRunInput, input, "request");
  const row = await findEtlRun(ctx, id);
  const isHeard = row.state === "running" && (await client.signal(row.workflow_id, signal));
  if (!isHeard) throw new AppError("conflict", "The run has ended.");
  await inTransaction(ctx, (tx) => writeAudit(ctx, tx, { action: `etl.${signal}`, subject: `etl-run:${id}` }));
  return viewEtlRun(await findEtlRun(ctx, id), await client.progress(row.workflow_id));
}
