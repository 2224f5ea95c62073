import { type DuckDBConnection, quote, quoteList } from "../warehouse/duckdb.ts";

/** An event that stands in a partition again, later than its first. */
export interface Duplicate {
  event_id: string;
  source_shard: string;
  source_sequence: string;
  source_index: number;
  received_at: string;
}

/** Rows that the writer holds in memory at once. */
const ROW_GROUP_ROWS = 40_960;
const PLACE = "length(source_sequence), source_sequence, source_index, source_shard";
const OPTIONS = "hive_partitioning = false, union_by_name = true, filename = true, file_row_number = true";

/** The files that share an event with another, or hold one twice. */
export async function findFilesWithDuplicates(
  connection: DuckDBConnection,
  paths: readonly string[],
): Promise<string[]> {
  if (paths.length === 0) return [];
  const files = `read_parquet(${quoteList(paths)}, ${OPTIONS})`;
  const twice = `SELECT event_id FROM ${files} GROUP BY event_id HAVING count(*) > 1`;
  await connection.run(`CREATE OR REPLACE TEMP TABLE twice AS ${twice}`);
  const found = await connection.runAndReadAll(
    `SELECT DISTINCT filename FROM ${files} WHERE event_id IN (FROM twice) ORDER BY filename`,
  );
  return found.getRowObjectsJson().map((row) => String(row["filename"]));
}

/**
 * All rows of the inputs in one file, in order of time, each event once: the one acknowledged first stays. Answers those left
 * out, without exact copies of what stays. The same inputs give the same rows in the same order.
 */
export async function mergeFiles(
  connection: DuckDBConnection,
  paths: readonly string[],
  target: string,
): Promise<{ rows: number; copies: number; duplicates: Duplicate[] }> {
  const files = `read_parquet(${quoteList(paths)}, ${OPTIONS})`;
  await connection.run(`CREATE OR REPLACE TEMP TABLE ranked AS
    SELECT filename, file_row_number, event_id, source_shard, source_sequence, source_index,
      strftime(received_at, '%Y-%m-%dT%H:%M:%S.%gZ') AS received_at,
      row_number() OVER (PARTITION BY event_id ORDER BY ${PLACE}, filename, file_row_number) AS rank,
      row_number() OVER (PARTITION BY event_id, ${PLACE} ORDER BY filename, file_row_number) AS copy
    FROM ${files}`);
  const { rows = 0, all = 0 } = await readCounts(connection);
  const duplicates = await connection.runAndReadAll(
    `SELECT event_id, source_shard, source_sequence, source_index, received_at
     FROM ranked WHERE rank > 1 AND copy = 1 ORDER BY event_id, rank`,
  );
  await connection.run(`COPY (
      SELECT * EXCLUDE (filename, file_row_number) FROM ${files} AS files
      WHERE NOT EXISTS (FROM ranked WHERE rank > 1
        AND ranked.filename = files.filename AND ranked.file_row_number = files.file_row_number)
      ORDER BY timestamp, ${PLACE}, event_id
    ) TO ${quote(target)} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`);
  const list = duplicates.getRowObjectsJson() as unknown as Duplicate[];
  return { rows, copies: all - rows - list.length, duplicates: list };
}

async function readCounts(connection: DuckDBConnection): Promise<Record<string, number>> {
  const counts = await connection.runAndReadAll(
    `SELECT count(*) AS "all", count(*) FILTER (rank = 1) AS rows FROM ranked`,
  );
  const [row = {}] = counts.getRowObjectsJson();
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]));
}

/** From the file's footer. Throws where it is no whole Parquet file. */
export async function countRows(connection: DuckDBConnection, path: string): Promise<number> {
  const counted = await connection.runAndReadAll("SELECT num_rows FROM parquet_file_metadata($1)", [path]);
  return Number(counted.getRowsJson()[0]?.[0]);
}
