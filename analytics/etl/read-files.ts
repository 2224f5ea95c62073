import type { Lake } from "../../platform/lake/lake.ts";
import { quoteList } from "../../platform/warehouse/duckdb.ts";

/** SQL: the rows of some files of the lake. `empty`: columns of the answer where there are none, `NULL::VARCHAR AS anon_id`. */
export function readFiles(lake: Lake, paths: readonly string[], empty: string): string {
  if (paths.length === 0) return `(SELECT ${empty} WHERE FALSE)`;
  return `read_parquet(${quoteList(paths.map((path) => lake.absolute(path)))}, hive_partitioning = false)`;
}
