import { AppError } from "../../core/errors.ts";
import { type DuckDBConnection, quote, type Warehouse } from "../warehouse/duckdb.ts";
import type { ReadRecord, Source } from "./read-text.ts";

const ROW = "file_row_number";

export interface ParquetSource extends Source {
  rows(): Promise<number>;
}

/** Rows are lines from 1, and offsets count them, too. Throws `invalid` where it is no whole Parquet file. */
export function openParquet(path: string, warehouse: Warehouse): ParquetSource {
  const file = `read_parquet(${quote(path)}, hive_partitioning = false)`;
  return {
    rows: () =>
      warehouse.use(async (connection) => {
        const [row] = await query(connection, `SELECT count(*)::DOUBLE AS n FROM ${file}`);
        return Number(row?.["n"]);
      }),
    columns: () => warehouse.use(async (connection) => (await describe(connection, file)).map(({ name }) => name)),
    async *read(from) {
      const over = Promise.withResolvers<void>();
      const { promise: opened, resolve, reject } = Promise.withResolvers<DuckDBConnection>();
      const using = warehouse.use((connection) => (resolve(connection), over.promise)).catch(reject);
      try {
        yield* readRows(await opened, path, from.offset);
      } finally {
        over.resolve();
        await using;
      }
    },
  };
}

/** Rows from `offset` on, a chunk at a time: row groups that hold none of them are not read. */
async function* readRows(connection: DuckDBConnection, path: string, offset: number): AsyncGenerator<ReadRecord[]> {
  const file = `read_parquet(${quote(path)}, hive_partitioning = false, file_row_number = true)`;
  await connection.run("SET TimeZone = 'UTC'");
  const columns = (await describe(connection, file)).filter(({ name }) => name !== ROW);
  const fields = columns.map(({ name, type }) => `${quote(name)}: ${readable(identifier(name), type)}`).join(", ");
  const text = `SELECT ${ROW}::DOUBLE AS n, to_json({${fields}})::VARCHAR AS fields FROM ${file} WHERE ${ROW} >= ${offset}`;
  let row = offset;
  try {
    for await (const rows of (await connection.stream(text)).yieldRowsJs()) {
      const records = rows.map(([n, fields]) => toRecord(Number(n), String(fields)));
      row += records.length;
      yield records;
    }
  } catch (error) {
    throw isBroken(error)
      ? new AppError("invalid", `The file cannot be read after row ${row}.`, { cause: error })
      : error;
  }
}

function toRecord(row: number, fields: string): ReadRecord {
  const line = row + 1;
  const record = { line, fields: JSON.parse(fields) as Record<string, unknown> };
  return { line, next: { offset: line, line: line + 1 }, record, faults: [] };
}

/** Times as ISO 8601, with a zone where the column has one; what has more digits than a JSON number keeps, as text. */
function readable(column: string, type: string): string {
  if (type === "TIMESTAMP WITH TIME ZONE") return `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%gZ')`;
  if (type.startsWith("TIMESTAMP")) return `strftime(${column}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%g')`;
  if (/^(DATE|TIME|U?BIGINT|U?HUGEINT|DECIMAL|UUID|INTERVAL|ENUM)\b/.test(type)) return `${column}::VARCHAR`;
  if (type === "BLOB") return `base64(${column})`;
  return column;
}

async function describe(connection: DuckDBConnection, file: string): Promise<{ name: string; type: string }[]> {
  const rows = await query(connection, `DESCRIBE SELECT * FROM ${file}`);
  return rows.map((row) => ({ name: String(row["column_name"]), type: String(row["column_type"]) }));
}

async function query(connection: DuckDBConnection, text: string): Promise<Record<string, unknown>[]> {
  try {
    return (await connection.runAndReadAll(text)).getRowObjectsJS();
  } catch (cause) {
    if (!isBroken(cause)) throw cause;
    throw new AppError("invalid", "The file is not whole Parquet: it must begin and end with PAR1.", { cause });
  }
}

/** The file's own fault, and not the disk's. */
function isBroken(error: unknown): boolean {
  return error instanceof Error && /^Invalid (Input )?Error|magic bytes|Parquet|footer|corrupt/i.test(error.message);
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
