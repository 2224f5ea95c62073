import { sql } from "drizzle-orm";

import type { Difference } from "../../core/contracts/audit.ts";
import { deliveryId } from "../../core/delivery.ts";
import { certainMessages } from "../../core/journey/certain-messages.ts";
import type { JourneyDefinition } from "../../core/journey/definition.ts";
import { HOUR_MS } from "../../core/time.ts";
import { differenceOf } from "./delivery-difference.ts";
import type { AuditDeps, Scope } from "./scope.ts";

const SHOWN = 1_000;

interface Version extends Record<string, unknown> {
  client_id: string;
  campaign_id: string;
  version: number;
  journey: JourneyDefinition;
}

/**
 * The runs that ended in the hour: one that came to the end of its journey must have a row in the ledger for each message that no way
 * leads past, whatever became of it; one that ended before must say why.
 */
export async function auditRuns(ctx: Pick<AuditDeps["ctx"], "db">, scope: Scope): Promise<Difference[]> {
  const [from, to] = [scope.hourMs, scope.hourMs + HOUR_MS].map((ms) => new Date(ms).toISOString());
  const within = sql`r.ended_at >= ${from} and r.ended_at < ${to}
    and (${scope.clientId ?? null}::text is null or r.client_id = ${scope.clientId ?? null})`;
  const versions = await ctx.db.execute<Version>(sql`
    select distinct v.client_id, v.campaign_id, v.version, v.journey from journey_runs r
    join campaign_versions v on v.client_id = r.client_id and v.campaign_id = r.campaign_id and v.version = r.version
    where ${within} and r.state = 'completed'`);
  const differences: Difference[] = [];
  for (const { client_id, campaign_id, version, journey } of versions) {
    const nodes = certainMessages(journey);
    if (nodes.length === 0) continue;
    const rows = await ctx.db.execute<{ run_id: string; node_id: string; ended_at: string }>(sql`
      select r.id as run_id, n.node_id, to_char(r.ended_at at time zone 'utc', 'HH24:MI:SS') as ended_at
      from journey_runs r, jsonb_array_elements_text(${JSON.stringify(nodes)}::text::jsonb) as n(node_id)
      where ${within} and r.state = 'completed' and r.client_id = ${client_id} and r.campaign_id = ${campaign_id} and r.version = ${version}
        and not exists (select from deliveries d where d.run_id = r.id and d.node_id = n.node_id) limit ${SHOWN}`);
    for (const { run_id, node_id, ended_at } of rows) {
      const last_seen = `run ${run_id} of ${campaign_id}, version ${version}: completed at ${ended_at}; its message ${node_id} is not in the ledger`;
      differences.push(differenceOf("message_missing", client_id, deliveryId(run_id, node_id), last_seen));
    }
  }
  const silent = await ctx.db.execute<{ client_id: string; run_id: string; state: string }>(sql`
    select r.client_id, r.id as run_id, r.state from journey_runs r
    where ${within} and r.state in ('stopped', 'failed') and coalesce(r.reason, '') = '' limit ${SHOWN}`);
  for (const { client_id, run_id, state } of silent)
    differences.push(differenceOf("run_without_reason", client_id, null, `run ${run_id}, in state ${state}`));
  return differences;
}
