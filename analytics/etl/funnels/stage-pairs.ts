import type { Funnel } from "../../../core/funnel.ts";
import { HOURLY, MAX_FUNNEL_RANGE_MS } from "../../../core/registered-funnels.ts";
import { type DuckDBConnection, quoteList } from "../../../platform/warehouse/duckdb.ts";
import { query } from "../deps.ts";
import type { FunnelGrain } from "./stale-buckets.ts";

const RANGE_MS: Readonly<Record<FunnelGrain, number>> = { hour: HOURLY.rangeMs, day: MAX_FUNNEL_RANGE_MS };
/** Stands for no entry before it; no entry is as old. */
const NEVER = "0001-01-01T00:00:00Z";

interface StagedPairs {
  /** SQL: (grain, step, entered, entered_before, units) of the stale buckets. */
  pairs: string;
  /** What entered before it is not kept, ISO 8601. */
  oldest: string;
}

/**
 * Of the stale buckets one row for each step and pair of entries that follow each other, from the view `entries`. Entries further back
 * than the longest range that is asked for are none worth knowing: it keeps the pairs few.
 */
export async function stagePairs(
  connection: DuckDBConnection,
  { funnel, grain, stale }: { funnel: Funnel; grain: FunnelGrain; stale: readonly string[] },
): Promise<StagedPairs> {
  const oldest = grain === "hour" ? await readOldest(connection) : NEVER;
  const kept = stale
    .filter((bucket) => Date.parse(bucket) >= Date.parse(oldest))
    .map((bucket) => bucket.replace("Z", ""));
  await connection.run(`CREATE OR REPLACE TEMP TABLE stale AS
    SELECT CAST(unnest(${quoteList(kept)}::VARCHAR[]) AS TIMESTAMP) AS bucket`);
  return { pairs: pairsSql(grain, funnel.steps.length), oldest };
}

async function readOldest(connection: DuckDBConnection): Promise<string> {
  const [row] = await query(connection, "SELECT epoch_ms(max(hour)) AS last FROM entries");
  return row!["last"] === null ? NEVER : new Date(Number(row!["last"]) - HOURLY.keptMs).toISOString();
}

function pairsSql(grain: FunnelGrain, steps: number): string {
  const range = `to_milliseconds(${RANGE_MS[grain]})`;
  return `
    WITH mine AS (
      SELECT unit, ${grain} AS bucket, max(reached) AS reached FROM entries
      WHERE ${grain} > (SELECT min(bucket) FROM stale) - ${range} AND ${grain} <= (SELECT max(bucket) FROM stale)
        AND unit IN (SELECT unit FROM entries WHERE ${grain} IN (SELECT bucket FROM stale))
      GROUP BY ALL
    )
    SELECT '${grain}' AS grain, step, ${iso("entered")} AS entered, coalesce(${iso("entered_before")}, '${NEVER}') AS entered_before,
      count(*) AS units
    FROM (
      SELECT step, bucket AS entered, CASE WHEN bucket - lag(bucket) OVER before < ${range} THEN lag(bucket) OVER before END AS entered_before
      FROM mine, range(1, ${steps + 1}) AS steps(step) WHERE reached >= step
      WINDOW before AS (PARTITION BY unit, step ORDER BY bucket)
    )
    WHERE entered IN (SELECT bucket FROM stale) GROUP BY ALL`;
}

function iso(column: string): string {
  return `strftime(${column}, '%Y-%m-%dT%H:%M:%SZ')`;
}
