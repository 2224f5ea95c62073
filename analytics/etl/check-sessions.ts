import { sql } from "drizzle-orm";

import type { PartitionCheck } from "../../core/etl-check.ts";
import { clientFolder } from "../../core/lake.ts";
import type { Database } from "../../platform/postgres/database.ts";
import type { DuckDBConnection } from "../../platform/warehouse/duckdb.ts";
import { judge } from "./checks.ts";
import { query } from "./deps.ts";

/** Events by the hour in which their visit began, where that is another than their own. */
export interface Beginning {
  partition: string;
  events: number;
}

/** `files`: SQL, the hour's raw rows. */
export async function readBeginnings(
  connection: DuckDBConnection,
  { files, clientId, startMs }: { files: string; clientId: string; startMs: number },
): Promise<Beginning[]> {
  const rows = await query(
    connection,
    `SELECT strftime(session_started_at, 'dt=%Y-%m-%d/hour=%H') AS hour, count(*)::DOUBLE AS events FROM ${files}
      WHERE epoch_ms(session_started_at) < ${startMs} GROUP BY hour`,
  );
  return rows.map(({ hour, events }) => ({ partition: `${clientFolder(clientId)}/${hour}`, events: Number(events) }));
}

/** Whether the hours in which visits began are in the lake at all. */
export async function checkSessions(
  db: Database,
  clientId: string,
  beginnings: readonly Beginning[],
): Promise<PartitionCheck> {
  const asked = JSON.stringify(beginnings.map(({ partition }) => partition));
  const rows = await db.execute<{ partition: string }>(sql`
    select distinct partition from lake_files where client_id = ${clientId}
      and partition in (select jsonb_array_elements_text(${asked}::text::jsonb))`);
  const known = new Set(rows.map(({ partition }) => partition));
  const lost = beginnings.filter(({ partition }) => !known.has(partition));
  const events = lost.reduce((sum, one) => sum + one.events, 0);
  return judge("references", events, "events are of visits whose beginning is not in the lake", false);
}
