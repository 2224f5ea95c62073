import { z } from "zod";

import { parse } from "../core/parse.ts";
import { type CrmContext, requireScope } from "./context.ts";
import { type EtlClient, type EtlRun, findEtlRun, viewEtlRun } from "./etl-run.ts";

export const getEtlRunInput = z.object({ id: z.guid() });

/** How far it has come: its workflow's word while it runs, its row's once it has ended. */
export async function getEtlRun(
  ctx: CrmContext,
  client: EtlClient,
  input: z.input<typeof getEtlRunInput>,
): Promise<EtlRun> {
  requireScope(ctx, "admin");
  const { id } = parse(getEtlRunInput, input, "request");
  const row = await findEtlRun(ctx, id);
  return viewEtlRun(row, row.state === "running" ? await client.progress(row.workflow_id) : null);
}
