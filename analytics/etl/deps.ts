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

/** The same, some at a time: for what may be more than fits into memory. */
export async function* queryPages(connection: DuckDBConnection, sql: string): AsyncGenerator<Row[]> {
  yield* (await connection.stream(sql)).yieldRowObjectJson();
}

export async function query(connection: DuckDBConnection, sql: string): Promise<Row[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}
