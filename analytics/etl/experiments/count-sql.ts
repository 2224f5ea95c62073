import { EXPOSURE } from "../../../core/experiment/definition.ts";
import type { CountedExperiment } from "../../../core/experiment/count-experiment.ts";
import { quote } from "../../../platform/warehouse/duckdb.ts";
import { allHoldSql } from "../../reports/condition-sql.ts";

/**
 * What `countExperiment` in core/experiment says, as SQL over a view `events` (curated columns and `person`), summed up by the client's
 * day of the first exposure: the columns of `experiment_daily` from `day` on. A property test holds the two against each other.
 */
export function countExperimentSql(experiment: CountedExperiment, timeZone: string): string {
  const { id, variants, metric, window_ms, started_at, ended_at } = experiment;
  const place = `{'t': timestamp, 'l': length(source_sequence), 's': source_sequence, 'i': source_index, 'h': source_shard}`;
  return `
    WITH exposures AS (
      SELECT person, timestamp, ${place} AS place, CASE WHEN ${text("variant")} IN (${variants.map(quote).join(", ")}) THEN ${text("variant")} END AS variant
      FROM events
      WHERE event_type = ${quote(EXPOSURE)} AND ${text("experiment_id")} = ${quote(id)} AND person IS NOT NULL
        AND (NOT is_bot OR user_id IS NOT NULL)
        AND epoch_ms(timestamp) >= ${started_at} AND ${ended_at === null ? "TRUE" : `epoch_ms(timestamp) < ${ended_at}`}
    ), people AS (
      SELECT person, coalesce(arg_min(variant, place) FILTER (variant IS NOT NULL), '') AS variant,
        CASE count(DISTINCT variant) WHEN 0 THEN 'unknown' WHEN 1 THEN 'counted' ELSE 'mixed' END AS kind,
        coalesce(min(timestamp) FILTER (variant IS NOT NULL), min(timestamp)) AS first_at
      FROM exposures GROUP BY person
    ), done AS (
      SELECT people.person, coalesce(currency, '') AS currency, revenue_minor
      FROM (SELECT person, timestamp, currency, revenue_minor FROM events
        WHERE event_type = ${quote(metric.event_type)} AND epoch_ms(timestamp) >= ${started_at}
          AND ${ended_at === null ? "TRUE" : `epoch_ms(timestamp) < ${ended_at + window_ms}`}
          AND ${allHoldSql(metric.conditions, "props")}) AS event
      JOIN people ON people.person = event.person AND timestamp >= first_at AND timestamp < first_at + to_milliseconds(${window_ms})
    ), dated AS (
      SELECT person, variant, kind, strftime(timezone(${quote(timeZone)}, timezone('UTC', first_at)), '%Y-%m-%d') AS day FROM people
    ), earned AS (
      SELECT person, currency, sum(revenue_minor) AS minor FROM done WHERE revenue_minor IS NOT NULL GROUP BY ALL
    )
    SELECT day, variant, kind, '' AS currency, count(*) AS persons,
      count(*) FILTER (person IN (SELECT person FROM done)) AS converted, 0::HUGEINT AS revenue_minor, 0::DOUBLE AS revenue_squares
    FROM dated GROUP BY ALL
    UNION ALL
    SELECT day, variant, kind, currency, 0, count(*), sum(minor), sum(CAST(minor AS DOUBLE) * CAST(minor AS DOUBLE))
    FROM dated JOIN earned USING (person) GROUP BY ALL`;
}

/** A prop, where it is text. */
function text(name: string): string {
  return `(CASE WHEN json_type(props, '/${name}') = 'VARCHAR' THEN props ->> '/${name}' END)`;
}
