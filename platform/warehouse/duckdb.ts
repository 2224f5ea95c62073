import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

export type { DuckDBConnection };

export interface WarehouseOptions {
  /** For example `512MB`. What does not fit goes to `tempFolder`. */
  memoryLimit: string;
  /** One thread keeps the order of rows, and with it the bytes of a file, the same every time. */
  threads: number;
  /** Made when it is needed, and removed with the last use. No two processes may share one. */
  tempFolder: string;
}

/** DuckDB in this process, without a database file of its own: it reads and writes Parquet. */
export interface Warehouse {
  /** A connection for one piece of work. Temporary tables are its own and go with it. */
  use<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Opens at its first use. Fetches no extensions: json, parquet and icu are built in. */
export function createWarehouse(options: WarehouseOptions): Warehouse {
  let opening: Promise<DuckDBInstance> | undefined;

  return {
    async use(work) {
      opening ??= openInstance(options).catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      const connection = await (await opening).connect();
      try {
        return await work(connection);
      } finally {
        connection.closeSync();
      }
    },
    async close() {
      if (opening !== undefined) (await opening).closeSync();
      opening = undefined;
    },
  };
}

async function openInstance(options: WarehouseOptions): Promise<DuckDBInstance> {
  await mkdir(dirname(options.tempFolder), { recursive: true });
  return DuckDBInstance.create(":memory:", {
    threads: String(options.threads),
    memory_limit: options.memoryLimit,
    temp_directory: options.tempFolder,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    preserve_insertion_order: "true",
  });
}

/** A string as SQL. For what cannot be a parameter: file names in COPY. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A list of strings as SQL. */
export function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quote).join(", ")}]`;
}
