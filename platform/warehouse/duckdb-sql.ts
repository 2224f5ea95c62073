import { AppError } from "../../core/errors.ts";
import type { DuckDBConnection } from "./duckdb.ts";
import { namesOf, rewriteParameters } from "./named-parameters.ts";
import type { SqlRow, SqlValue, SqlWarehouse } from "./sql-warehouse.ts";

/** A connection of the embedded warehouse, with whatever tables and views it has. One statement at a time. */
export function createDuckDbSql(connection: DuckDBConnection): SqlWarehouse {
  const interrupt = () => connection.interrupt();
  return {
    dialect: "duckdb",
    async ask(sql, { parameters = {}, timeoutMs, signal } = {}) {
      signal?.throwIfAborted();
      const values = Object.fromEntries(namesOf(sql).map((name) => [name, valueOf(parameters, name)]));
      let isLate = false;
      const giveUp = () => {
        isLate = true;
        interrupt();
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs);
      signal?.addEventListener("abort", interrupt, { once: true });
      try {
        const reader = await connection.runAndReadAll(
          rewriteParameters(sql, (name) => `$${name}`),
          values,
        );
        const integers = new Set(
          reader
            .columnNames()
            .filter((_, nth) => /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?)$/.test(String(reader.columnType(nth)))),
        );
        return reader.getRowObjectsJson().map((row) => readRow(row as SqlRow, integers));
      } catch (error) {
        signal?.throwIfAborted();
        if (isLate) throw new AppError("unavailable", `no answer within ${timeoutMs} ms`, { cause: error });
        throw new AppError("invalid", (error as Error).message, { cause: error });
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", interrupt);
      }
    },
  };
}

function valueOf(parameters: Readonly<Record<string, string>>, name: string): string {
  const value = parameters[name];
  if (value === undefined) throw new AppError("invalid", `the statement's parameter ${name} is not given`);
  return value;
}

/** What is too large for JSON comes as text. */
function readRow(row: SqlRow, integers: ReadonlySet<string>): SqlRow {
  const read = ([name, value]: [string, SqlValue]): [string, SqlValue] => [
    name,
    value !== null && integers.has(name) ? Number(value) : value,
  ];
  return Object.fromEntries(Object.entries(row).map(read));
}
