import type { Funnel } from "../../../core/funnel.ts";
import { HOURLY, MAX_FUNNEL_RANGE_MS, REGISTERED_FUNNELS } from "../../../core/registered-funnels.ts";
import { type DuckDBConnection, quote } from "../../../platform/warehouse/duckdb.ts";
import { funnelChainsSql } from "../../reports/funnel-sql.ts";
import type { WholeAggregate } from "../aggregate.ts";
import { query, type Row } from "../deps.ts";

/** Before any event, and after any. */
const ALWAYS = { start: 0, end: Date.parse("9999-01-01T00:00:00Z") };
/** Stands for no entry before it. */
const NEVER = "0001-01-01T00:00:00Z";

/** Of all events, because who came late may have come before: a unit is looked for in everything that was before. */
export const funnelHourly: WholeAggregate = {
  name: "funnel_hourly",
  version: 1,
  columns: {
    funnel: "text",
    grain: "text",
    step: "integer",
    entered: "timestamptz",
    entered_before: "timestamptz",
    units: "bigint",
  },
  async compute({ connection, timeZone }) {
    const rows: Row[] = [];
    for (const { name, funnel } of REGISTERED_FUNNELS) {
      const found = await countEntries(connection, "events", funnel, timeZone);
      for (const row of found) rows.push({ funnel: name, ...row });
    }
    return rows;
  },
};

/** One row for each grain, step and pair of entries that follow each other, with the number of units. */
export async function countEntries(
  connection: DuckDBConnection,
  events: string,
  funnel: Funnel,
  timeZone: string,
): Promise<Row[]> {
  const day = `date_trunc('day', timezone(${quote(timeZone)}, to_timestamp(ms / 1000)))`;
  const bucket = `{'hour': date_trunc('hour', make_timestamp(ms * 1000)), 'day': ${day}}`;
  await connection.run(`
    CREATE OR REPLACE TEMP TABLE entries AS
    SELECT unit, bucket.hour AS hour, bucket.day AS day, max(reached) AS reached
    FROM (${funnelChainsSql(funnel, events, ALWAYS, bucket)}) GROUP BY ALL`);
  const oldest = `(SELECT max(hour) FROM entries) - to_milliseconds(${HOURLY.keptMs})`;
  const hours = grainSql("hour", funnel.steps.length, HOURLY.rangeMs);
  const days = grainSql("day", funnel.steps.length, MAX_FUNNEL_RANGE_MS);
  const rows = await query(
    connection,
    `${hours} WHERE entered >= ${oldest} GROUP BY ALL UNION ALL ${days} GROUP BY ALL`,
  );
  await connection.run("DROP TABLE entries");
  return rows;
}

/** Entries further back than the longest range that is asked for are none worth knowing: it keeps the pairs few. */
function grainSql(grain: "hour" | "day", steps: number, rangeMs: number): string {
  return `
    SELECT '${grain}' AS grain, step, ${iso("entered")} AS entered, coalesce(${iso("entered_before")}, '${NEVER}') AS entered_before,
      count(*) AS units
    FROM (
      SELECT step, entered, CASE WHEN entered - lag(entered) OVER before < to_milliseconds(${rangeMs}) THEN lag(entered) OVER before END AS entered_before
      FROM (SELECT DISTINCT unit, ${grain} AS entered, step FROM entries, range(1, ${steps + 1}) AS steps(step) WHERE reached >= step)
      WINDOW before AS (PARTITION BY unit, step ORDER BY entered)
    )`;
}

function iso(column: string): string {
  return `strftime(${column}, '%Y-%m-%dT%H:%M:%SZ')`;
}
