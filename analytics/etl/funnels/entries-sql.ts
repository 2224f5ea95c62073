import type { Funnel } from "../../../core/funnel.ts";
import { quote } from "../../../platform/warehouse/duckdb.ts";
import { funnelChainsSql, type FunnelRange } from "../../reports/funnel-sql.ts";

/** Columns of an entries file, where there is none. */
export const ENTRIES_EMPTY =
  "NULL::UBIGINT AS unit, NULL::TIMESTAMP AS hour, NULL::TIMESTAMP AS day, NULL::INTEGER AS reached";

/**
 * SQL: (unit, hour, day, reached), one row for each unit and hour in which it began a chain: the UTC hour, the client's day as if its
 * midnight were in UTC, and how many steps the longest of them has. An hour that lies in two days makes two rows.
 */
export function entriesSql(funnel: Funnel, events: string, range: FunnelRange, timeZone: string): string {
  const day = `date_trunc('day', timezone(${quote(timeZone)}, to_timestamp(ms / 1000)))`;
  const bucket = `{'hour': date_trunc('hour', make_timestamp(ms * 1000)), 'day': ${day}}`;
  return `SELECT unit, bucket.hour AS hour, bucket.day AS day, CAST(max(reached) AS INTEGER) AS reached
    FROM (${funnelChainsSql(funnel, events, range, bucket)}) GROUP BY ALL`;
}
