import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";

import type { Logger } from "../logger.ts";
import * as schema from "./schema.ts";
import { formatTextArray, parseTextArray } from "./text-array.ts";

export type Database = PostgresJsDatabase<typeof schema>;

/** `text[]`, by PostgreSQL's number for it: the only arrays there are. */
const TEXT_ARRAY = {
  to: 1009,
  from: [1009],
  serialize: (value: string | string[]) => (typeof value === "string" ? value : formatTextArray(value)),
  parse: parseTextArray,
};

/** A pool that connects at its first statement and again after the server was away. */
export function connectPostgres(url: string, log: Logger, max = 8): { db: Database; close(): Promise<void> } {
  const sql = postgres(url, {
    max,
    connect_timeout: 5,
    // Else each connection begins by asking for the types there are, and one that breaks at that ends the process: nobody
    // waits for the answer.
    fetch_types: false,
    types: { textArray: TEXT_ARRAY },
    onnotice: (notice) => log.debug({ notice: notice.message }),
  });
  return { db: drizzle(sql, { schema }), close: () => sql.end({ timeout: 2 }) };
}
