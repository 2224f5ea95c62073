import type { FunnelRange } from "../../analytics/reports/funnel-sql.ts";
import type { Funnel } from "../../core/funnel.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";

/**
 * SQL for ClickHouse: windowFunnel takes for each step the latest beginning that leads to it, which is what counts here, too. It differs
 * in this: of events of one millisecond it takes those of earlier steps for earlier, whatever came first; and an event that fits two
 * steps may be either. The beginnings must lie within the range, what follows may come after it.
 */
export function theirSql(
  { unit, window_ms, steps }: Funnel,
  { start, end }: FunnelRange,
  of: { files: string; links: string },
): string {
  const at = "toUnixTimestamp64Milli(timestamp)";
  const isStep = steps.map(({ event_type }, nth) => {
    return `event_type = ${quote(event_type)}${nth === 0 ? ` AND ${at} < ${end}` : ""}`;
  });
  const types = [...new Set(steps.map(({ event_type }) => quote(event_type)))].join(", ");
  const [events, links] = [of.files, of.links].map((path) => `file(${quote(path)}, Parquet)`);
  const person =
    "multiIf(isNotNull(coalesce(e.user_id, l.user_id)), concat('user:', coalesce(e.user_id, l.user_id)), isNotNull(e.anon_id), concat('anon:', e.anon_id), concat('session:', e.session_id))";
  const rows =
    unit === "session"
      ? `SELECT session_id AS unit, timestamp, event_type FROM ${events} AS e`
      : `SELECT ${person} AS unit, timestamp, event_type FROM ${events} AS e LEFT JOIN ${links} AS l ON e.anon_id = l.anon_id`;
  const counts = steps.map((_, nth) => `countIf(reached > ${nth})`);
  return `SELECT ${counts.join(", ")} FROM (
    SELECT windowFunnel(${window_ms})(toUInt64(${at}), ${isStep.join(", ")}) AS reached FROM (${rows})
    WHERE event_type IN (${types}) AND ${at} >= ${start} AND ${at} <= ${end + window_ms} AND unit IS NOT NULL
    GROUP BY unit
  ) SETTINGS max_threads = 2, join_use_nulls = 1`;
}
