import { randomUUID } from "node:crypto";

import { z } from "zod";

import { etlWorkflowId, NO_PROGRESS } from "../core/contracts/etl.ts";
import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { etlRuns } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { type EtlClient, type EtlRun, findEtlRun, viewEtlRun } from "./etl-run.ts";

const moment = z.iso
  .datetime({ abort: true })
  .refine((at) => at >= "1970" && Date.parse(at) < Date.parse("9999-01-01T00:00:00Z"), "not in 1970 to 9998");

export const startEtlRunBody = z
  .strictObject({
    id: z.guid().optional().meta({ description: "Of the run: asking again under the same id is asking once." }),
    start: moment.optional().meta({ description: "Hours that end after this moment; from the first where left out." }),
    end: moment.optional().meta({ description: "Hours that begin before this moment; up to the last where left out." }),
    rebuild: z.boolean().default(false).meta({ description: "Also what is up to date." }),
  })
  .meta({ id: "EtlRunRequest" });

/** Throws `unavailable` where Temporal is away: asking again under the same id starts it. */
export async function startEtlRun(
  ctx: CrmContext,
  client: EtlClient,
  input: z.input<typeof startEtlRunBody>,
): Promise<EtlRun> {
  requireScope(ctx, "admin");
  const { id = randomUUID(), start, end, rebuild } = parse(startEtlRunBody, input, "body");
  if (start !== undefined && end !== undefined && Date.parse(start) >= Date.parse(end)) {
    throw new AppError("invalid", "The body is not valid.", {
      faults: [{ path: "/end", reason: "is not after start" }],
    });
  }
  const { client_id, actor, request_id } = ctx.principal;
  await inTransaction(ctx, async (tx) => {
    const made = await tx
      .insert(etlRuns)
      .values({
        id,
        client_id,
        workflow_id: etlWorkflowId(client_id, id),
        start_at: start,
        end_at: end,
        rebuild,
        progress: NO_PROGRESS,
        actor,
        request_id,
      })
      .onConflictDoNothing()
      .returning({ id: etlRuns.id });
    if (made.length > 0)
      await writeAudit(ctx, tx, { action: "etl.run", subject: `etl-run:${id}`, details: { rebuild } });
  });
  const row = await findEtlRun(ctx, id);
  // The first asker's, where it was asked before.
  if (row.state === "running") await client.start(row);
  return viewEtlRun(row, null);
}
