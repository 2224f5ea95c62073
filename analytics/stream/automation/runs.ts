import { type SQL, sql } from "drizzle-orm";

import type { JourneyInput } from "../../../core/contracts/journey.ts";

/** A run with what its workflow is started with. */
export interface RunRow {
  [column: string]: unknown;
  run_id: string;
  workflow_id: string;
  client_id: string;
  campaign_id: string;
  version: number;
  definition_hash: string;
  entry_key: string;
  entry_event_id: string;
  entry_event_type: string;
  request_id: string;
  entered_at: string;
  is_started: boolean;
}

/** Of `journey_runs run` and `campaign_versions version`. */
export const RUN_COLUMNS = sql.raw(`
  run.id as run_id, run.workflow_id, run.client_id, run.campaign_id, run.version, version.hash as definition_hash,
  run.entry_key, run.entry_event_id, run.entry_event_type, run.request_id, run.entered_at,
  run.started_at is not null as is_started`);

/**
 * Open runs that share a key with an array. `offset 0` keeps the planner from joining the other way round: it cannot know how
 * few runs share a key, and would compare every run with every event.
 */
export function openRunsOf(keys: string): SQL {
  return sql.raw(
    `lateral (select * from journey_runs where state in ('active', 'held') and person_keys && ${keys} offset 0)`,
  );
}

export function toJourneyInput(run: RunRow): JourneyInput {
  const { client_id, campaign_id, version, definition_hash, run_id, request_id } = run;
  const at = new Date(run.entered_at).toISOString();
  const entry = { event_id: run.entry_event_id, event_type: run.entry_event_type, at, key: run.entry_key };
  return { client_id, campaign_id, version, definition_hash, run_id, entry, request_id };
}
