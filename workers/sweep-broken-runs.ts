import { and, inArray } from "drizzle-orm";

import { DAY_MS, MINUTE_MS } from "../core/time.ts";
import type { Context } from "../platform/context.ts";
import { failGoneRuns } from "../platform/postgres/fail-gone-runs.ts";
import { journeyRuns } from "../platform/postgres/schema.ts";
import type { BrokenJourneys } from "../platform/temporal.ts";
import { repeat } from "./repeat.ts";

const EVERY_MS = MINUTE_MS;
/** At the first sweep: who was away for longer finds out when the run is next spoken to. */
const FIRST_LOOK_BACK_MS = DAY_MS;
/** Temporal lists what has ended some seconds after it has. */
const OVERLAP_MS = 2 * EVERY_MS;

interface SweepDeps {
  ctx: Pick<Context, "db" | "log">;
  journeys: BrokenJourneys;
}

/**
 * Closes runs whose workflows somebody has terminated: an open run keeps its person out of the campaign. Once a minute, for
 * all clients, Temporal is asked for what has ended without a word; that is nearly always nothing, and is no part of any answer to people.
 */
export function keepSweepingBrokenRuns(deps: SweepDeps): { stop(): Promise<void> } {
  let sinceMs = Date.now() - FIRST_LOOK_BACK_MS;
  return repeat(EVERY_MS, async () => {
    const startedMs = Date.now();
    try {
      await sweepBrokenRuns(deps, new Date(sinceMs));
      sinceMs = startedMs - OVERLAP_MS;
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
  const gone: string[] = [];
  // A reset ends one execution and goes on in another.
  for (const { id, workflow_id } of open) if (!(await journeys.isUnderWay(workflow_id, id))) gone.push(id);
  await failGoneRuns(ctx.db, gone);
  if (gone.length > 0) ctx.log.info({ runs: gone.length }, "runs closed whose workflows were ended from outside");
  return gone.length;
}
