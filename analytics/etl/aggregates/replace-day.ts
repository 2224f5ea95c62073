import { sql } from "drizzle-orm";

import type { Transaction } from "../../../platform/postgres/tenant.ts";
import type { DuckDBConnection } from "../../../platform/warehouse/duckdb.ts";

/** A table of schema `analytics` whose rows of a day are made of that day's events and of nothing else. */
export interface DayAggregate {
  /** The table's name. */
  name: string;
  /**
   * SQL for DuckDB: the table's columns but `client_id` and `day`. `events`: the curated rows of one client's day, each with its
   * `person`. Times as text, ISO 8601.
   */
  select(events: string): string;
}

export interface ClientDay {
  clientId: string;
  /** `2026-11-21`, in the client's zone. */
  day: string;
}

const ROWS_AT_ONCE = 10_000;

/**
 * Replaces the rows of a day. They go from DuckDB to PostgreSQL as text, some thousand at a time, so that a day with a million
 * people needs no more memory here than one with ten thousand. Answers how many there are.
 */
export async function replaceDay(
  tx: Transaction,
  connection: DuckDBConnection,
  { name, select }: DayAggregate,
  { clientId, day }: ClientDay,
  events: string,
): Promise<number> {
  const table = sql`analytics.${sql.identifier(name)}`;
  await tx.execute(sql`delete from ${table} where client_id = ${clientId} and day = ${day}`);
  let written = 0;
  const result = await connection.stream(inPages(select(events)));
  for await (const pages of result.yieldRowsJson()) {
    for (const [page] of pages) {
      const inserted = await tx.execute(sql`
        insert into ${table} select (json_populate_record(null::${table}, row::text::json)).* from (
          select jsonb_build_object('client_id', ${clientId}::text, 'day', ${day}::text) || row as row
          from jsonb_array_elements(${page as string}::text::jsonb) as row
        ) rows`);
      written += inserted.count;
    }
  }
  return written;
}

/** One column: JSON arrays of the rows of `select`. */
function inPages(select: string): string {
  return `
    SELECT CAST(to_json(list(r)) AS VARCHAR) AS page
    FROM (SELECT r, (row_number() OVER () - 1) // ${ROWS_AT_ONCE} AS nth FROM (${select}) AS r)
    GROUP BY nth ORDER BY nth`;
}
