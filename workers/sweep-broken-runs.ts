import { and, inArray, sql } from "drizzle-orm";

import { DAY_MS, MINUTE_MS } from "../core/time.ts";
import type { Context } from "../platform/context.ts";
import { inParallel } from "../platform/in-parallel.ts";
import { failGoneRuns } from "../platform/postgres/fail-gone-runs.ts";
import { journeyRuns } from "../platform/postgres/schema.ts";
import type { BrokenJourneys } from "../platform/temporal.ts";
import { repeat } from "./repeat.ts";

const EVERY_MS = MINUTE_MS;
/** At the first sweep: who was away for longer finds out when the run is next spoken to. */
const FIRST_LOOK_BACK_MS = DAY_MS;
/** Temporal lists what has ended some seconds after it has. */
const OVERLAP_MS = 2 * EVERY_MS;
/** Runs that are looked up one by one each minute: a Temporal that has lost its history has nothing to list. */
const LOOKED_UP = 600;
const LOOKS_AT_ONCE = 10;

interface SweepDeps {
  ctx: Pick<Context, "db" | "log">;
  journeys: BrokenJourneys;
}

/**
 * Closes runs whose workflows somebody has terminated, or Temporal has lost: an open run keeps its person out of the campaign. Once a
 * minute, for all clients, Temporal is asked for what has ended without a word, and for some of those that ought to be under way; that is
 * nearly always nothing, and is no part of any answer to people.
 */
export function keepSweepingBrokenRuns(deps: SweepDeps): { stop(): Promise<void> } {
  let sinceMs = Date.now() - FIRST_LOOK_BACK_MS;
  let after: string | null = null;
  return repeat(EVERY_MS, async () => {
    const startedMs = Date.now();
    try {
      await sweepBrokenRuns(deps, new Date(sinceMs));
      sinceMs = startedMs - OVERLAP_MS;
      after = await sweepLostRuns(deps, { after: after ?? "", limit: LOOKED_UP });
    } catch (error) {
      deps.ctx.log.warn({ err: (error as Error).message }, "broken runs not swept");
    }
  });
}

/** Answers how many runs were closed. */
export async function sweepBrokenRuns({ ctx, journeys }: SweepDeps, since: Date): Promise<number> {
  const broken = await journeys.findBroken(since);
  if (broken.length === 0) return 0;
  const open = await ctx.db.query.journeyRuns.findMany({
    columns: { id: true, workflow_id: true },
    where: and(inArray(journeyRuns.id, broken), inArray(journeyRuns.state, ["active", "held"])),
  });
  return closeGone({ ctx, journeys }, open);
}

/** Looks up open runs whose workflows come after `after`. Answers the last of them; null where there are no more. */
export async function sweepLostRuns(
  { ctx, journeys }: SweepDeps,
  { after, limit }: { after: string; limit: number },
): Promise<string | null> {
  const open = await ctx.db.query.journeyRuns.findMany({
    columns: { id: true, workflow_id: true },
    // In the words of the index.
    where: sql`state in ('active', 'held') and started_at is not null and workflow_id > ${after}`,
    orderBy: journeyRuns.workflow_id,
    limit,
  });
  await closeGone({ ctx, journeys }, open);
  return open.length === limit ? (open.at(-1)?.workflow_id ?? null) : null;
}

async function closeGone(
  { ctx, journeys }: SweepDeps,
  open: readonly { id: string; workflow_id: string }[],
): Promise<number> {
  const gone: string[] = [];
  // A reset ends one execution and goes on in another.
  await inParallel(open, LOOKS_AT_ONCE, async ({ id, workflow_id }) => {
    if (!(await journeys.isUnderWay(workflow_id, id))) gone.push(id);
  });
  await failGoneRuns(ctx.db, gone);
  if (gone.length > 0) ctx.log.info({ runs: gone.length }, "runs closed whose workflows are gone");
  return gone.length;
}
