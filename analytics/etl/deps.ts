import type { Context } from "../../platform/context.ts";
import type { Lake } from "../../platform/lake/lake.ts";
import type { DuckDBConnection, Warehouse } from "../../platform/warehouse/duckdb.ts";

/** What the steps of ETL work with. */
export interface EtlDeps {
  ctx: Pick<Context, "db" | "log" | "redis">;
  lake: Lake;
  warehouse: Warehouse;
}

/** Rows as JSON: big integers are text. */
export type Row = Record<string, unknown>;

export async function query(connection: DuckDBConnection, sql: string): Promise<Row[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}
