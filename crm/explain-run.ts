import { and, asc, eq } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { deliveries, journeyRuns } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { deliverySchema, viewDelivery } from "./delivery.ts";
import { timeSchema } from "./page.ts";
import { isOpen, type Run, runSchema, viewRun } from "./run.ts";

/** Temporal answers in milliseconds or is busy; people do not wait longer. */
const QUERY_TIMEOUT_MS = 2_000;

export const explainRunInput = z.object({ id: z.guid() });

export const explainedRunSchema = runSchema
  .extend({
    where: z
      .object({
        source: z
          .enum(["workflow", "projection"])
          .meta({ description: "Who said so: the run itself, or what was last written of it." }),
        node_id: z.string().nullable(),
        node_type: z.string().nullable(),
        why: z.string().meta({ description: "In words." }),
        waiting_until: timeSchema.nullable(),
      })
      .meta({ description: "Where the run stands, and why." }),
    deliveries: z.array(deliverySchema),
  })
  .meta({ id: "ExplainedRun" });

export type ExplainedRun = z.infer<typeof explainedRunSchema>;

/** A run, where it stands and why, and what became of its messages. */
export async function explainRun(ctx: CrmContext, input: z.input<typeof explainRunInput>): Promise<ExplainedRun> {
  requireScope(ctx, "read");
  const { id } = parse(explainRunInput, input, "request");
  const clientId = ctx.principal.client_id;
  const { run, sent } = await inTransaction(ctx, async (tx) => {
    const where = and(eq(journeyRuns.client_id, clientId), eq(journeyRuns.id, id));
    const row = await tx.query.journeyRuns.findFirst({ where });
    if (!row) throw new AppError("not_found", "There is no such run.");
    const ofRun = and(eq(deliveries.client_id, clientId), eq(deliveries.run_id, id));
    const sent = await tx.query.deliveries.findMany({ where: ofRun, orderBy: [asc(deliveries.created_at)] });
    return { run: viewRun(row), sent };
  });
  return { ...run, where: await whereIs(ctx, run), deliveries: sent.map(viewDelivery) };
}

async function whereIs(ctx: CrmContext, run: Run): Promise<ExplainedRun["where"]> {
  // The rows decide about a run that has ended: its workflow may be asleep, or gone with its retention.
  const status = isOpen(run) && run.started_at ? await ctx.journeys.whereIs(run.workflow_id, QUERY_TIMEOUT_MS) : null;
  if (status === null) {
    return { source: "projection", node_id: run.node_id, node_type: null, why: describe(run), waiting_until: null };
  }
  const { node_id, node_type, why, waiting_until } = status;
  return { source: "workflow", node_id, node_type, why, waiting_until };
}

function describe(run: Run): string {
  if (!isOpen(run)) return `${run.state} at ${run.ended_at ?? "an unknown time"}: ${run.reason ?? "reached its end"}`;
  if (run.state === "held") return `held: ${run.reason ?? "its campaign is paused"}`;
  if (run.started_at === null) return `entered at ${run.entered_at}, waits to be started`;
  return `under way since ${run.started_at}${run.node_id ? `, last seen at ${run.node_id}` : ""}`;
}
