import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";

import type { Logger } from "../logger.ts";
import * as schema from "./schema.ts";

export type Database = PostgresJsDatabase<typeof schema>;

/** A pool that connects at its first statement and again after the server was away. */
export function connectPostgres(url: string, log: Logger, max = 8): { db: Database; close(): Promise<void> } {
  const sql = postgres(url, { max, connect_timeout: 5, onnotice: (notice) => log.debug({ notice: notice.message }) });
  return { db: drizzle(sql, { schema }), close: () => sql.end({ timeout: 2 }) };
}
