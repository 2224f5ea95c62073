import { sql } from "drizzle-orm";

import type { SendRequest } from "../core/contracts/journey.ts";
import type { Database } from "../platform/postgres/database.ts";

/**
 * Writes down that a run waits for its paused campaign, so that whoever resumes the campaign finds it. The campaign's row
 * is locked meanwhile: either the pause still stands and the run is marked before it is lifted, or it has been lifted and
 * the run is free (`false`: ask again).
 */
export async function holdRun(db: Database, request: SendRequest): Promise<boolean> {
  const { client_id, campaign_id, run_id, node_id } = request;
  const rows = await db.execute<{ state: string }>(sql`
    with campaign as (
      select state from campaigns where client_id = ${client_id} and id = ${campaign_id} for share
    )
    update journey_runs set
      state = case when campaign.state = 'paused' then 'held' else 'active' end,
      reason = case when campaign.state = 'paused' then 'campaign_paused' end,
      node_id = ${node_id}
    from campaign
    where journey_runs.id = ${run_id} and journey_runs.client_id = ${client_id}
      and journey_runs.state in ('active', 'held')
    returning journey_runs.state`);
  return rows[0]?.state === "held";
}
