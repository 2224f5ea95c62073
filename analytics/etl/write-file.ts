import { rm } from "node:fs/promises";

import type { Lake } from "../../platform/lake/lake.ts";
import { type DuckDBConnection, quote } from "../../platform/warehouse/duckdb.ts";

/** Row groups of this many rows: what a writer holds in memory, and what a reader can leave out. */
const ROW_GROUP_ROWS = 122_880;

/** The rows of a query as one file, seen whole or not at all. */
export async function writeFile(lake: Lake, connection: DuckDBConnection, rows: string, path: string): Promise<void> {
  const temp = await lake.tempPath();
  try {
    const options = `FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}`;
    await connection.run(`COPY (${rows}) TO ${quote(temp)} (${options})`);
    await lake.publish(temp, path);
  } finally {
    await rm(temp, { force: true });
  }
}
