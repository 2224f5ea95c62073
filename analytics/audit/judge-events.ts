import { sql } from "drizzle-orm";

import { CLOCKS_DIFFER_MS, type Pass, query, sqlTime } from "./scope.ts";
import { searchLake, stageLake, stageReceipts, type GoneFile } from "./stage-lake.ts";
import { stageExplanations } from "./stage-explanations.ts";

/** From receipt to acknowledgement; a producer gives up long before. */
const AT_THE_EDGE_MS = 60_000;

const SAME_PLACE = "f.sequence = r.sequence AND f.index = r.index AND f.shard = r.shard";

export interface EventCounts {
  client_id: string;
  received: number;
  in_lake: number;
  dropped: number;
  dead_letters: number;
  in_flight: number;
}

/** Gathers what there is about the hour and compares it, place by place and id by id: `judged` and `differences`. */
export async function judgeEvents(pass: Pass & { firstReceiptsMs: number }): Promise<GoneFile[]> {
  await stageReceipts(pass);
  // The lake before the explanations: what a compaction takes out meanwhile is in one of them at least.
  const gone = await stageLake(pass);
  await stageExplanations(pass);
  await judgePlaces(pass);
  await findDifferences(pass);
  await findUnprovenDrops(pass);
  return gone;
}

async function judgePlaces(pass: Pass & { firstReceiptsMs: number }): Promise<void> {
  const { connection, settledMs, hourMs } = pass;
  await connection.run(`CREATE OR REPLACE TEMP TABLE fates AS
    SELECT shard, sequence, index, min(received_at) AS received_at,
      min(nullif(client_id, '')) AS client_id, max(nullif(client_id, '')) AS other_client, min(event_id) AS event_id, max(event_id) AS other_id,
      count(*) FILTER (kind = 'lake') AS lake, count(*) FILTER (kind = 'drop') AS drops,
      count(*) FILTER (kind = 'letter') AS letters, count(*) FILTER (kind = 'retried') AS retried,
      count(*) FILTER (kind = 'drop' AND reason = 'duplicate_in_partition') AS merged,
      string_agg(DISTINCT CASE kind WHEN 'lake' THEN 'lake, ' WHEN 'drop' THEN 'dropped by ' ELSE 'dead letter of ' END || detail, '; ') AS seen
    FROM (
      SELECT 'lake' AS kind, client_id, event_id, shard, sequence, index, file AS detail, '' AS reason, received_at FROM lake WHERE here
      UNION ALL
      SELECT kind, client_id, event_id, shard, sequence, index, detail, reason, received_at FROM explained
      WHERE kind = 'drop' OR (sequence, index) IN (SELECT (sequence, index) FROM receipts)
    ) GROUP BY shard, sequence, index`);
  // Where receipts begin in this very hour, what came before has none.
  const began =
    hourMs > pass.firstReceiptsMs ? sqlTime(hourMs) : "coalesce((SELECT min(received_at) FROM receipts), 'infinity')";
  await connection.run(`CREATE OR REPLACE TEMP TABLE judged AS
    SELECT coalesce(r.client_id, f.client_id, '') AS client_id, coalesce(r.event_id, f.event_id) AS event_id,
      coalesce(r.shard, f.shard) AS shard, coalesce(r.sequence, f.sequence) AS sequence, coalesce(r.index, f.index) AS index,
      r.shard IS NOT NULL AS is_received, r.received_at AS received_at, r.arrived_at, r.sent_at, f.seen,
      CASE
        WHEN r.shard IS NULL AND f.received_at < ${began} THEN 'before'
        WHEN r.shard IS NULL AND f.received_at >= ${sqlTime(settledMs - AT_THE_EDGE_MS)} THEN 'in_flight'
        WHEN r.shard IS NULL THEN 'unreceived'
        WHEN f.shard IS NULL AND r.arrived_at >= ${sqlTime(settledMs - CLOCKS_DIFFER_MS)} THEN 'in_flight'
        WHEN f.shard IS NULL THEN 'missing'
        WHEN f.event_id <> r.event_id OR f.other_id <> r.event_id THEN 'id_differs'
        WHEN f.client_id <> r.client_id OR f.other_client <> r.client_id THEN 'id_differs'
        WHEN f.lake > 1 THEN 'twice_in_lake'
        -- A compaction that died had entered what it was about to leave out; the next one will.
        WHEN f.lake = 1 AND f.drops = 1 AND f.merged = 1 AND f.letters = 0 THEN 'lake'
        WHEN f.lake + f.drops + f.letters > 1 THEN 'several_outcomes'
        WHEN f.lake = 1 THEN 'lake'
        WHEN f.drops = 1 THEN 'dropped'
        ELSE 'dead_letter'
      END AS fate
    FROM receipts r FULL JOIN fates f ON ${SAME_PLACE}`);
}

const EXPLAINED = "'lake', 'dropped', 'dead_letter', 'in_flight', 'before'";

async function findDifferences({ connection }: Pass): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE differences AS
    SELECT fate AS kind, client_id, event_id, shard || ' ' || sequence || ' ' || index AS place, 1 AS count,
      coalesce(seen, '') AS last_seen, sent_at, least(sent_at, received_at) AS lake_at
    FROM judged WHERE fate NOT IN (${EXPLAINED})`);
  // Under several places: one alone is what `judged` has looked at.
  await connection.run(`INSERT INTO differences
    SELECT 'id_twice_in_lake', client_id, lower(event_id), NULL, count(*) - 1, 'lake, ' || string_agg(DISTINCT file, ', '), NULL, NULL
    FROM lake GROUP BY client_id, lower(event_id)
    HAVING count(DISTINCT (sequence, index, shard)) > 1 AND bool_or(here)`);
}

/** A duplicate is one only if the event that it repeats is somewhere. */
async function findUnprovenDrops(pass: Pass): Promise<void> {
  const { deps, connection, settledMs } = pass;
  await connection.run(`CREATE OR REPLACE TEMP TABLE sought AS
    SELECT r.client_id, lower(r.event_id) AS id, r.shard, r.sequence, r.index FROM judged r JOIN explained f ON ${SAME_PLACE}
    WHERE r.fate = 'dropped' AND f.reason IN ('duplicate', 'duplicate_in_partition')
      AND r.is_received AND r.arrived_at < ${sqlTime(settledMs - CLOCKS_DIFFER_MS)}
      AND (r.client_id, lower(r.event_id)) NOT IN (SELECT (client_id, lower(event_id)) FROM lake)`);
  const sought = await query(connection, "SELECT DISTINCT client_id, id FROM sought");
  if (sought.length === 0) return;
  await searchLake(pass);
  const ids = JSON.stringify(sought.map((row) => row["id"]));
  const letters = await deps.ctx.db.execute<{ client_id: string; event_id: string }>(sql`
    select client_id, event_id from dead_letters where stage not in ('automation', 'counters')
      and lower(event_id) in (select jsonb_array_elements_text(${ids}::text::jsonb))`);
  const known = new Set(letters.map((row) => `${row.event_id.toLowerCase()} ${row.client_id}`));
  const proven = sought.filter((row) => known.has(`${String(row["id"])} ${String(row["client_id"])}`));
  for (const row of proven) {
    await connection.run("DELETE FROM sought WHERE client_id = $1 AND id = $2", [
      String(row["client_id"]),
      String(row["id"]),
    ]);
  }
  await connection.run(`INSERT INTO differences
    SELECT 'unproven_drop', client_id, id, shard || ' ' || sequence || ' ' || index, 1,
      'dropped as a duplicate; the event it repeats is neither in the lake nor a dead letter', NULL, NULL
    FROM sought WHERE (client_id, id) NOT IN (SELECT (client_id, id) FROM found)`);
}

/** By client. */
export async function countEvents({ connection }: Pass): Promise<EventCounts[]> {
  const rows = await query(
    connection,
    `SELECT client_id, count(*) FILTER (is_received)::DOUBLE AS received, count(*) FILTER (fate IN ('lake', 'twice_in_lake'))::DOUBLE AS in_lake,
      count(*) FILTER (fate = 'dropped')::DOUBLE AS dropped, count(*) FILTER (fate = 'dead_letter')::DOUBLE AS dead_letters,
      count(*) FILTER (fate = 'in_flight')::DOUBLE AS in_flight
    FROM judged GROUP BY client_id ORDER BY client_id`,
  );
  return rows as unknown as EventCounts[];
}
