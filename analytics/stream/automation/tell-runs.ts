import { sql } from "drizzle-orm";

import { chunksOf } from "../../../core/chunks.ts";
import type { JourneyInput, RunEvent } from "../../../core/contracts/journey.ts";
import { isAppError } from "../../../core/errors.ts";
import type { Logger } from "../../../platform/logger.ts";
import { failGoneRuns } from "../../../platform/postgres/fail-gone-runs.ts";
import type { Database } from "../../../platform/postgres/database.ts";
import type { Journeys } from "../../../platform/temporal.ts";
import type { Entry, TellMatch } from "./match.ts";
import { jsonRows } from "./sql-json.ts";
import { openRunsOf, RUN_COLUMNS, type RunRow, toJourneyInput } from "./runs.ts";

const AT_ONCE = 16;

interface TellDeps {
  db: Database;
  log: Logger;
  journeys: Pick<Journeys, "tell" | "startAndTell">;
}

/**
 * Hands events to the open runs that may be waiting for them, one signal for each run. Throws `unavailable` where Temporal is
 * away, so that the batch comes again: an event that somebody waits for is not lost. A run that began in the same batch, with
 * one of `entries`, hears of what came after.
 */
export async function tellRuns(
  deps: TellDeps,
  tells: readonly TellMatch[],
  entries: readonly Pick<Entry, "run_id" | "order">[],
): Promise<number> {
  const begun = new Map(entries.map((entry) => [entry.run_id, entry.order]));
  const waiting = (await findRuns(deps.db, tells)).filter(
    (row) => tells[row.place]!.order > (begun.get(row.run_id) ?? -1),
  );
  const runs = [...Map.groupBy(waiting, (row) => row.run_id).values()];
  for (const some of chunksOf(runs, AT_ONCE)) {
    await Promise.all(
      some.map((rows) => tell(deps, rows, tells).catch((error: unknown) => report(deps.log, rows[0]!, error))),
    );
  }
  return runs.length;
}

/** What Temporal refuses, a hundred thousand events in one signal say, would be refused for ever. */
function report(log: Logger, { run_id }: RunRow, error: unknown): void {
  if (!isAppError(error, "invalid")) throw error;
  log.error({ run_id, err: error.message }, "a run could not be told");
}

type WaitingRun = RunRow & { place: number };

async function findRuns(db: Database, tells: readonly TellMatch[]): Promise<WaitingRun[]> {
  if (tells.length === 0) return [];
  const rows = tells.map(({ client_id, keys, of }, place) => ({ place, client_id, keys, of }));
  return db.execute<WaitingRun>(sql`
    select event.place, ${RUN_COLUMNS}
    from jsonb_to_recordset(${jsonRows(rows)}) as event(place int, client_id text, keys text[], "of" text[])
    join ${openRunsOf("event.keys")} run on run.client_id = event.client_id
      and run.campaign_id || ':' || run.version = any (event."of")
    join campaign_versions version on version.client_id = run.client_id
      and version.campaign_id = run.campaign_id and version.version = run.version
    order by event.place`);
}

async function tell(
  { db, journeys }: TellDeps,
  rows: readonly WaitingRun[],
  tells: readonly TellMatch[],
): Promise<void> {
  const run = rows[0]!;
  const events: RunEvent[] = rows.map((row) => tells[row.place]!.event);
  const signal = { run_id: run.run_id, events };
  if (run.is_started) {
    if (!(await journeys.tell(run.workflow_id, signal))) await failGoneRuns(db, [run.run_id]);
    return;
  }
  const input: JourneyInput = toJourneyInput(run);
  await journeys.startAndTell(run.workflow_id, input, signal);
}
