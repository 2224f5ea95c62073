import type { DuckDBConnection } from "../../../platform/warehouse/duckdb.ts";
import { query } from "../deps.ts";

export const FUNNEL_GRAINS = ["hour", "day"] as const;
export type FunnelGrain = (typeof FUNNEL_GRAINS)[number];

/** What a change of some entries makes wrong, by grain: hours and days, ISO 8601. */
export type StaleBuckets = Readonly<Record<FunnelGrain, string[]>>;

/**
 * Buckets whose pairs may be others, after the entries `before` have become `after` (SQL of rows as in an entries file). An entry counts
 * in its own bucket, and as the one before in the bucket in which the same unit comes again: so these are all buckets of entries that
 * came or went, and those in which the same units come `later` (all entries that count now, from the first day that has changed).
 */
export async function findStaleBuckets(
  connection: DuckDBConnection,
  { before, after, later }: { before: string; after: string; later: string },
): Promise<StaleBuckets> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE changed AS
    (FROM ${before} EXCEPT FROM ${after}) UNION ALL (FROM ${after} EXCEPT FROM ${before})`);
  const stale: Record<FunnelGrain, string[]> = { hour: [], day: [] };
  for (const grain of FUNNEL_GRAINS) {
    const rows = await query(
      connection,
      `SELECT strftime(bucket, '%Y-%m-%dT%H:%M:%SZ') AS bucket FROM (
        SELECT ${grain} AS bucket FROM changed UNION
        SELECT ${grain} FROM ${later} WHERE unit IN (SELECT unit FROM changed)
      ) ORDER BY bucket`,
    );
    stale[grain] = rows.map((row) => String(row["bucket"]));
  }
  await connection.run("DROP TABLE changed");
  return stale;
}
