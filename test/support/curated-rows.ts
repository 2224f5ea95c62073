import { CURATED_COLUMNS } from "../../core/curated-event.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";

/** Columns of a curated row, and whom it belongs to; those that are left out are NULL. */
export type CuratedRow = Partial<Record<(typeof CURATED_COLUMNS)[number][0] | "person", unknown>>;

const LINE = { product_id: "VARCHAR", category: "VARCHAR", quantity: "DECIMAL(18,6)", revenue_minor: "BIGINT" };
const STRUCTURE = {
  ...Object.fromEntries(CURATED_COLUMNS.map(([name, type]) => [name, type])),
  items: [LINE],
  person: "VARCHAR",
};

/** SQL: the rows as aggregates see them. */
export function curatedRows(rows: readonly CuratedRow[]): string {
  const json = quote(JSON.stringify(rows));
  return `SELECT unnest(from_json(${json}, ${quote(JSON.stringify([STRUCTURE]))}), max_depth := 2)`;
}
