import { type SQL, sql } from "drizzle-orm";

import type { DeliveryDifferenceKind, Difference, StaleDelivery } from "../../core/contracts/audit.ts";
import { deliveryId } from "../../core/delivery.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { differenceOf } from "./delivery-difference.ts";
import type { AuditDeps, Scope } from "./scope.ts";

/** Open for longer than any provider takes to tell, and than the sweep waits between two questions. */
const STALE_AFTER_MS = 30 * MINUTE_MS;
const SHOWN = 100;
const ROWS_AT_ONCE = 5_000;

export interface DeliveryFindings {
  counts: { client_id: string; deliveries: number }[];
  differences: Difference[];
  stale: StaleDelivery[];
}

type AuditContext = Pick<AuditDeps["ctx"], "db">;
interface Found extends Record<string, unknown> {
  client_id: string;
  id: string;
  seen: string;
}

/** The messages whose ledger row was made in the hour: each in one state that its history bears out, each effect once. */
export async function auditDeliveries(ctx: AuditContext, scope: Scope): Promise<DeliveryFindings> {
  const [from, to] = [scope.hourMs, scope.hourMs + HOUR_MS].map((ms) => new Date(ms).toISOString());
  const within = sql`d.created_at >= ${from} and d.created_at < ${to}
    and (${scope.clientId ?? null}::text is null or d.client_id = ${scope.clientId ?? null})`;
  const differences: DeliveryFindings["differences"] = [];
  for (const [kind, statement] of checks(within)) {
    const rows = await ctx.db.execute<Found>(statement);
    for (const { client_id, id, seen } of rows) differences.push(differenceOf(kind, client_id, id, seen));
  }
  differences.push(...(await findForeignIds(ctx, within)));
  return { counts: await countDeliveries(ctx, within), differences, stale: await findStale(ctx, within) };
}

/** What an audience sees of a message; entries of the history that are about our own work have no effect outside. */
const EFFECTS = sql`('submitted', 'delivered', 'failed', 'opened', 'clicked', 'skipped', 'unknown')`;
const IN_STATE = sql`'ledger, in state ' || d.state`;

function checks(within: SQL): [DeliveryDifferenceKind, SQL][] {
  return [
    [
      "no_reason",
      sql`select d.client_id, d.id, ${IN_STATE} as seen from deliveries d
        where ${within} and d.state in ('failed', 'skipped', 'unknown') and coalesce(d.reason, '') = ''`,
    ],
    [
      "message_id_twice",
      sql`select d.client_id, d.id, 'ledger, as ' || d.provider || ' ' || d.provider_message_id || ', which is also ' || o.id as seen
        from deliveries d join deliveries o on o.provider = d.provider and o.provider_message_id = d.provider_message_id and o.id <> d.id
        where ${within} and d.provider_message_id is not null`,
    ],
    [
      "run_node_twice",
      sql`select d.client_id, d.id, 'ledger, for the same run and node as ' || o.id as seen
        from deliveries d join deliveries o on o.run_id = d.run_id and o.node_id = d.node_id and o.id <> d.id where ${within}`,
    ],
    [
      "foreign",
      sql`select d.client_id, d.id, 'ledger, for a run of ' || r.client_id || ', ' || r.campaign_id as seen
        from deliveries d join journey_runs r on r.id = d.run_id
        where ${within} and (r.client_id <> d.client_id or r.campaign_id <> d.campaign_id)`,
    ],
    ["state_differs", findWrongStates(within)],
    ["effect_twice", findDoubledEffects(within)],
    ["effect_missing", findMissingEffects(within)],
  ];
}

/** A state that providers report stands in the history; one of ours is the last thing that we did. */
function findWrongStates(within: SQL): SQL {
  return sql`
    select d.client_id, d.id, ${IN_STATE} || ', of which its history knows nothing' as seen from deliveries d
    where ${within} and not exists (select from jsonb_array_elements(d.history) h where h ->> 'state' = d.state
      or (d.state = 'delivered' and h ->> 'state' in ('opened', 'clicked')))
    union all
    select d.client_id, d.id, 'ledger: ' || d.attempts || ' attempts, ' || h.handed || ' of them in the history' from deliveries d,
      lateral (select count(*) as handed from jsonb_array_elements(d.history) h where h ->> 'state' = 'submitting') h
    where ${within} and h.handed <> d.attempts`;
}

function findDoubledEffects(within: SQL): SQL {
  return sql`
    select d.client_id, d.id, 'activities, ' || count(*) || ' times ' || a.type as seen
    from deliveries d join activities a on a.client_id = d.client_id and a.person_key = d.person_key and a.metadata ->> 'delivery_id' = d.id::text
    where ${within} group by d.client_id, d.id, a.type having count(*) > 1
    union all
    select d.client_id, d.id, 'ledger, ' || count(*) || ' times ' || (h ->> 'state') as seen
    from deliveries d, jsonb_array_elements(d.history) h
    where ${within} and h ->> 'state' in ('submitted', 'delivered', 'failed', 'opened', 'clicked')
    group by d.client_id, d.id, h ->> 'state' having count(*) > 1`;
}

/** Written in one transaction with the history, so never late. */
function findMissingEffects(within: SQL): SQL {
  return sql`
    select d.client_id, d.id, 'ledger, ' || (h ->> 'state') || ' at ' || (h ->> 'at') as seen from deliveries d, jsonb_array_elements(d.history) h
    where ${within} and h ->> 'state' in ${EFFECTS} and not exists (
      select from activities a where a.client_id = d.client_id and a.person_key = d.person_key
        and a.metadata ->> 'delivery_id' = d.id::text and a.type = 'message_' || (h ->> 'state'))`;
}

/** An id that is not that of its run and node could be a second message of theirs. */
async function findForeignIds({ db }: AuditContext, within: SQL): Promise<DeliveryFindings["differences"]> {
  const differences: DeliveryFindings["differences"] = [];
  for (let after = "00000000-0000-0000-0000-000000000000"; ;) {
    const rows = await db.execute<Found & { run_id: string; node_id: string }>(sql`
      select d.client_id, d.id, d.run_id, d.node_id, '' as seen from deliveries d
      where ${within} and d.id > ${after}::uuid order by d.id limit ${ROWS_AT_ONCE}`);
    for (const { client_id, id, run_id, node_id } of rows) {
      if (deliveryId(run_id, node_id) === id) continue;
      differences.push(
        differenceOf(
          "foreign",
          client_id,
          id,
          `ledger, under an id that run ${run_id} and node ${node_id} do not make`,
        ),
      );
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) return differences;
    after = last.id;
  }
}

async function countDeliveries({ db }: AuditContext, within: SQL): Promise<DeliveryFindings["counts"]> {
  return db.execute<{ client_id: string; deliveries: number }>(
    sql`select d.client_id, count(*)::float8 as deliveries from deliveries d where ${within} group by d.client_id`,
  );
}

/** `submitted` may stay so for good where the provider reports nothing; that, too, is for people to see. */
async function findStale({ db }: AuditContext, within: SQL): Promise<DeliveryFindings["stale"]> {
  const before = new Date(Date.now() - STALE_AFTER_MS).toISOString();
  const rows = await db.execute<Record<"client_id" | "delivery_id" | "state" | "reason" | "since", string>>(sql`
    select d.client_id, d.id as delivery_id, d.state, d.reason, to_char(d.updated_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as since
    from deliveries d where ${within} and d.state in ('reserved', 'submitting', 'unknown', 'submitted') and d.updated_at < ${before}
    order by d.updated_at limit ${SHOWN}`);
  return [...rows];
}
