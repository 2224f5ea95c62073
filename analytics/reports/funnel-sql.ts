import type { Funnel, FunnelGroup, FunnelUnit } from "../../core/funnel.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";
import { allHoldSql } from "./condition-sql.ts";

/** Epoch milliseconds; chains begin in [start, end), and may go on after it. */
export interface FunnelRange {
  start: number;
  end: number;
}

/** When what is earlier within the same millisecond came into the stream. */
const PLACE = ["length(source_sequence)", "source_sequence", "source_index", "source_shard"];
const UNITS: Readonly<Record<FunnelUnit, string>> = { session: "session_id", user: "person" };

/**
 * SQL for DuckDB: what core/count-funnel.ts tries out chain by chain. `events`: curated rows, with `person` and `cohort` where they are
 * asked for. Answers (unit, bucket, reached), perhaps several of the same unit and bucket: a chain of the unit that begins in the bucket
 * has so many steps. The bucket is an expression over `ms` (epoch milliseconds of the beginning) and `key` (of the group).
 *
 * Backwards over a unit's events, each learns when the steps after its own are done at the earliest; so each beginning knows how
 * far it gets, and nothing is joined. Units without a second step behind a first one are left out of that, and what cannot get
 * further is left out of the next pass. Places are long texts, and events of one moment are few: only units that have such are sorted by them.
 */
export function funnelChainsSql(funnel: Funnel, events: string, range: FunnelRange, bucket?: string): string {
  const { steps } = funnel;
  const by = bucket ?? "NULL";
  const staged = stagedSql(funnel, events, range);
  if (steps.length === 1) return `SELECT DISTINCT unit, ${by} AS bucket, 1 AS reached FROM (${staged}) WHERE s1`;
  const order = ["ms", ...PLACE.map((_, nth) => `p${nth}`)].join(", ");
  const quick = passesSql(funnel, { name: "quick", from: "begun", order: "ms" });
  const exact = passesSql(funnel, { name: "exact", from: "tied_events", order });
  const reached = steps.slice(1).flatMap((_, nth) => {
    const isReached = `s1 AND f1_${nth + 2} - ms <= ${funnel.window_ms}`;
    const select = `SELECT unit, ${by} AS bucket, ${nth + 2} AS reached`;
    return [
      `${select} FROM quick${nth + 1} WHERE ${isReached} AND unit NOT IN (FROM tied)`,
      `${select} FROM exact${nth + 1} WHERE ${isReached}`,
    ];
  });
  return `
    WITH staged AS MATERIALIZED (${staged}),
    units AS MATERIALIZED (SELECT unit, min(ms) FILTER (s1) AS first, max(ms) FILTER (s2) AS last FROM staged GROUP BY unit),
    begun AS (SELECT staged.* FROM staged JOIN units USING (unit) WHERE first <= last AND ms >= first),
    ${quick[0]},
    tied AS MATERIALIZED (SELECT DISTINCT unit FROM quick1 WHERE is_tied),
    tied_events AS (SELECT * FROM (${stagedSql(funnel, events, range, PLACE)}) WHERE unit IN (FROM tied)),
    ${[...quick.slice(1), ...exact].join(",\n    ")}
    ${bucket === undefined ? "SELECT unit, NULL AS bucket, 1 AS reached FROM units WHERE first IS NOT NULL" : `SELECT DISTINCT unit, ${bucket} AS bucket, 1 AS reached FROM staged WHERE s1`}
    UNION ALL ${reached.join("\n    UNION ALL ")}`;
}

/** SQL for DuckDB: rows (key, step_1, step_2, …) with the number of units; one row, with key NULL, where nothing is grouped by. */
export function countFunnelSql(funnel: Funnel, events: string, range: FunnelRange): string {
  const counts = funnel.steps.map((_, nth) => `count(*) FILTER (reached > ${nth}) AS step_${nth + 1}`);
  const by = funnel.group_by === undefined ? undefined : "key";
  const longest = `SELECT unit, bucket, max(reached) AS reached FROM (${funnelChainsSql(funnel, events, range, by)}) GROUP BY ALL`;
  if (by === undefined) return `SELECT NULL AS key, ${counts.join(", ")} FROM (${longest})`;
  return `SELECT bucket AS key, ${counts.join(", ")} FROM (${longest}) GROUP BY bucket`;
}

/** The events of steps, as (unit, ms, key, s1, s2, …) and the parts of their place, if asked for: p0, p1, … */
function stagedSql(
  funnel: Funnel,
  events: string,
  { start, end }: FunnelRange,
  places: readonly string[] = [],
): string {
  const { steps, window_ms, group_by, product_id, unit } = funnel;
  const marks = steps.map(({ event_type, conditions }, nth) => {
    const isBeginning = nth === 0 ? ` AND epoch_ms(timestamp) < ${end}` : "";
    return `(event_type = ${quote(event_type)} AND ${allHoldSql(conditions, "props")}${isBeginning}) AS s${nth + 1}`;
  });
  const types = [...new Set(steps.map(({ event_type }) => quote(event_type)))].join(", ");
  const isChain = group_by === "product" || group_by === "category";
  const asked = [
    `event_type IN (${types})`,
    `timestamp >= make_timestamp(${start}::BIGINT * 1000)`,
    `timestamp <= make_timestamp(${end + window_ms}::BIGINT * 1000)`,
    `${UNITS[unit]} IS NOT NULL`,
    // All have one. It makes this another scan than the one without places: else DuckDB makes one of both, and copies all those texts.
    ...(places.length === 0 ? [] : ["source_sequence IS NOT NULL"]),
    ...(product_id === undefined ? [] : [`list_contains(${subjectsOf("product_id")}, ${quote(product_id)})`]),
  ];
  const place = places.map((part, nth) => `${part} AS p${nth}`);
  return `SELECT hash(${UNITS[unit]}${isChain ? ", key" : ""}) AS unit, epoch_ms(timestamp) AS ms, key, ${[...marks, ...place].join(", ")}
    FROM (SELECT *, ${keyOf(group_by)} AS key FROM ${events} WHERE ${asked.join(" AND ")})`;
}

function keyOf(group: FunnelGroup | undefined): string {
  if (group === undefined) return "NULL::VARCHAR";
  if (group === "product") return `unnest(${subjectsOf("product_id")})`;
  return group === "category" ? `unnest(${subjectsOf("category")})` : group;
}

/** All that an event is about, each once; an order has several. */
function subjectsOf(column: "product_id" | "category"): string {
  return `list_distinct(list_append(list_transform(coalesce(items, []), lambda item: item.${column}), ${column}))`;
}

/**
 * One pass for each number of steps behind an event. `f2_4`: when the steps after the second one, up to the fourth, are done at
 * the earliest after this event of the second.
 */
function passesSql({ steps, window_ms }: Funnel, pass: { name: string; from: string; order: string }): string[] {
  const { name, from, order } = pass;
  return steps.slice(1).map((_, nth) => {
    const behind = nth + 1;
    const froms = Array.from({ length: steps.length - behind }, (_, at) => at + 1);
    const columns = froms.map((step) => {
      const done = behind === 1 ? "ms" : `f${step + 1}_${step + behind}`;
      // The next one is the earliest, and done the earliest: later ones are done no earlier.
      return `first_value(CASE WHEN s${step + 1} THEN ${done} END IGNORE NULLS) OVER later AS f${step}_${step + behind}`;
    });
    // What has not come so far in time comes no further.
    const isUseful = steps.slice(0, 1 - behind || undefined).map((_, at) => {
      return `(s${at + 1} AND f${at + 1}_${at + behind} - ms <= ${window_ms})`;
    });
    const rows = behind === 1 ? from : `(SELECT * FROM ${name}${nth} WHERE ${isUseful.join(" OR ")})`;
    const tied =
      behind === 1
        ? ["lead(ms) OVER (PARTITION BY unit ORDER BY " + order + ") IS NOT DISTINCT FROM ms AS is_tied"]
        : [];
    return `${name}${behind} AS MATERIALIZED (SELECT *, ${[...columns, ...tied].join(", ")} FROM ${rows}
      WINDOW later AS (PARTITION BY unit ORDER BY ${order} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING))`;
  });
}
