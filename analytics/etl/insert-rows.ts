import { sql } from "drizzle-orm";

import type { Transaction } from "../../platform/postgres/tenant.ts";
import type { AggregateColumns } from "./aggregate.ts";
import type { Row } from "./deps.ts";

const ROWS_PER_STATEMENT = 5_000;

/** Rows of a table in the schema `analytics`, all with the same `keys`. */
export async function insertRows(
  tx: Transaction,
  { name, keys, columns, rows }: { name: string; keys: Row; columns: AggregateColumns; rows: readonly Row[] },
): Promise<void> {
  const names = Object.keys(columns);
  const types = sql.raw(names.map((column) => `"${column}" ${columns[column]}`).join(", "));
  const list = sql.raw(names.map((column) => `"${column}"`).join(", "));
  const keyNames = sql.raw(Object.keys(keys).join(", "));
  const keyValues = sql.join(
    Object.entries(keys).map(([key, value]) => (key === "day" ? sql`${value}::date` : sql`${value}::text`)),
    sql`, `,
  );
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    const some = JSON.stringify(rows.slice(from, from + ROWS_PER_STATEMENT)).replaceAll("\\u0000", "\\ufffd");
    await tx.execute(sql`insert into analytics.${sql.identifier(name)} (${keyNames}, ${list})
      select ${keyValues}, ${list} from json_to_recordset(${some}::text::json) as row(${types})`);
  }
}
