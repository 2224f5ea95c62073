import { sql } from "drizzle-orm";

import type { Database } from "../../../platform/postgres/database.ts";
import { CLOCK_TOLERANCE_MS, type Entry, type StopMatch } from "./match.ts";
import { openRunsOf } from "./runs.ts";
import { jsonRows } from "./sql-json.ts";

export interface StoppedRun {
  [column: string]: unknown;
  run_id: string;
  workflow_id: string;
  reason: string;
  event_id: string | null;
}

const CLOCK_TOLERANCE = `${CLOCK_TOLERANCE_MS} milliseconds`;

/**
 * Ends open runs, in one statement: when it returns, nothing of theirs can be reserved any more. `entries` of the same batch
 * are left alone: they came after, or `match` has already judged them.
 */
export async function stopRuns(
  db: Database,
  stops: readonly StopMatch[],
  entries: readonly Pick<Entry, "run_id">[],
): Promise<StoppedRun[]> {
  if (stops.length === 0) return [];
  return db.execute<StoppedRun>(sql`
    with event as (
      select * from jsonb_to_recordset(${jsonRows(stops)}) as e(
        "order" int, client_id text, keys text[], "of" text[], reason text, event_id text, at timestamptz)
    ), hit as (
      select distinct on (run.id) run.id, event.reason, event.event_id
      from event join ${openRunsOf("event.keys")} run on run.client_id = event.client_id
        and run.campaign_id || ':' || run.version = any (event."of")
        and run.entered_at <= event.at + ${CLOCK_TOLERANCE}::interval
      where run.id not in (select id::uuid from jsonb_array_elements_text(${jsonRows(entries.map((entry) => entry.run_id))}) as own(id))
      order by run.id, event."order"
    )
    update journey_runs run set
      state = 'stopped', reason = hit.reason, stopped_by_event_id = hit.event_id,
      -- One that has a workflow ends when that has ended: see sweep.ts.
      ended_at = case when run.started_at is null then clock_timestamp() end
    from hit where run.id = hit.id and run.state in ('active', 'held')
    returning run.id as run_id, run.workflow_id, run.reason, run.stopped_by_event_id as event_id`);
}
