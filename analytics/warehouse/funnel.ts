import type { Funnel } from "../../core/funnel.ts";
import type { FunnelRange } from "../reports/funnel-sql.ts";
import { type PortableQuestion, toTimestamp } from "./questions.ts";

/** What is earlier within the same millisecond came into the stream before. */
const ORDER = `"timestamp", LENGTH(source_sequence), source_sequence, source_index, source_shard`;

/**
 * The funnel of core/count-funnel.ts, without conditions and groups, in one row: step_1, step_2, …. Backwards over a unit's events, each
 * learns when the steps after its own are done at the earliest.
 */
export function askFunnel({ steps, unit, window_ms }: Funnel, { start, end }: FunnelRange): PortableQuestion {
  const key = unit === "session" ? "session_id" : "person";
  const types = steps.map((_, nth) => `:type_${nth + 1}`);
  const staged = `
    SELECT ${key} AS unit, ${ORDER}, event_type, ${steps.map((_, nth) => `CASE WHEN event_type = ${types[nth]} THEN 1 ELSE 0 END AS s${nth + 1}`).join(", ")}
    FROM events
    WHERE event_type IN (${types.join(", ")}) AND ${key} IS NOT NULL
      AND "timestamp" >= CAST(:start AS TIMESTAMP) AND "timestamp" <= CAST(:until AS TIMESTAMP)`.replace(
    "LENGTH(source_sequence), ",
    "",
  );
  const passes = steps.slice(1).map((_, nth) => {
    const behind = nth + 1;
    const columns = Array.from({ length: steps.length - behind }, (_, at) => {
      const [from, to] = [at + 1, at + 1 + behind];
      const done = behind === 1 ? '"timestamp"' : `f${from + 1}_${to}`;
      return `MIN(CASE WHEN s${from + 1} = 1 THEN ${done} END) OVER (PARTITION BY unit ORDER BY ${ORDER} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS f${from}_${to}`;
    });
    return `pass${behind} AS (SELECT pass${nth}.*, ${columns.join(", ")} FROM pass${nth})`;
  });
  const inTime = (nth: number) => `f1_${nth + 1} <= "timestamp" + INTERVAL '${window_ms / 1000} second'`;
  const counts = steps.map((_, nth) => {
    return `COUNT(DISTINCT CASE WHEN ${nth === 0 ? "1 = 1" : inTime(nth)} THEN unit END) AS step_${nth + 1}`;
  });
  const sql = `
    WITH pass0 AS (${staged}),
    ${[...passes, `anchors AS (SELECT * FROM pass${steps.length - 1} WHERE s1 = 1 AND "timestamp" < CAST(:end AS TIMESTAMP))`].join(",\n    ")}
    SELECT ${counts.join(", ")} FROM anchors`;
  const moments = { start: toTimestamp(start), end: toTimestamp(end), until: toTimestamp(end + window_ms) };
  return {
    sql,
    parameters: { ...moments, ...Object.fromEntries(steps.map((step, nth) => [`type_${nth + 1}`, step.event_type])) },
  };
}
