import type { Column, ColumnType } from "../../core/report-table.ts";
import { createWarehouse, quote } from "./duckdb.ts";

/** JSON is text, as in the lake. */
const TYPES: Record<ColumnType, string> = {
  text: "VARCHAR",
  integer: "BIGINT",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  date: "DATE",
  time: "TIMESTAMPTZ",
  json: "VARCHAR",
};

/** Lines of JSON as a Parquet file beside them; answers its path. */
export async function convertToParquet(path: string, columns: readonly Column[]): Promise<string> {
  const warehouse = createWarehouse({ memoryLimit: "256MB", threads: 1, tempFolder: `${path}.spill` });
  const made = `${path}.parquet`;
  const typed = columns.map(({ name, type }) => `${quote(name)}: ${quote(TYPES[type])}`).join(", ");
  try {
    await warehouse.use(async (connection) => {
      await connection.run("SET TimeZone = 'UTC'");
      await connection.run(`
        COPY (SELECT * FROM read_json(${quote(path)}, format = 'newline_delimited', columns = {${typed}}))
        TO ${quote(made)} (FORMAT parquet, COMPRESSION zstd)`);
    });
  } finally {
    await warehouse.close();
  }
  return made;
}
