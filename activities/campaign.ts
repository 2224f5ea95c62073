import { and, asc, eq, gt, inArray } from "drizzle-orm";

import { chunksOf } from "../core/chunks.ts";
import type { HeldRun, ResumeCampaignActivities } from "../core/contracts/campaign.ts";
import type { Context } from "../platform/context.ts";
import { journeyRuns } from "../platform/postgres/schema.ts";
import { failGoneRuns } from "../platform/postgres/fail-gone-runs.ts";
import type { Journeys } from "../platform/temporal.ts";

const PAGE = 200;
const SIGNALS_AT_ONCE = 16;

export function createCampaignActivities(deps: {
  ctx: Pick<Context, "db">;
  journeys: Pick<Journeys, "resume">;
}): ResumeCampaignActivities {
  const { db } = deps.ctx;
  return {
    async listHeldRuns({ client_id, campaign_id, after }) {
      return db
        .select({ run_id: journeyRuns.id, workflow_id: journeyRuns.workflow_id })
        .from(journeyRuns)
        .where(
          and(
            eq(journeyRuns.client_id, client_id),
            eq(journeyRuns.campaign_id, campaign_id),
            eq(journeyRuns.state, "held"),
            after === null ? undefined : gt(journeyRuns.id, after),
          ),
        )
        .orderBy(asc(journeyRuns.id))
        .limit(PAGE);
    },

    // The signal first: a run whose row says "held" is found again, one that was not woken would be forgotten.
    async resumeRuns({ client_id, runs }) {
      const gone: string[] = [];
      await inTurns(runs, async ({ workflow_id, run_id }) => {
        if (!(await deps.journeys.resume(workflow_id, { run_id }))) gone.push(run_id);
      });
      await failGoneRuns(db, gone);
      const ids = runs.map((run) => run.run_id);
      const stillHeld = and(
        eq(journeyRuns.client_id, client_id),
        inArray(journeyRuns.id, ids),
        eq(journeyRuns.state, "held"),
      );
      if (ids.length > 0) await db.update(journeyRuns).set({ state: "active", reason: null }).where(stillHeld);
    },
  };
}

async function inTurns(runs: readonly HeldRun[], wake: (run: HeldRun) => Promise<unknown>): Promise<void> {
  for (const some of chunksOf(runs, SIGNALS_AT_ONCE)) await Promise.all(some.map(wake));
}
