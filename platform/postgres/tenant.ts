import { sql } from "drizzle-orm";

import type { Database } from "./database.ts";

/** What `Database` is within a transaction. */
export type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];

/**
 * Runs `work` in one transaction that is bound to the client. With the tenant role's connection row-level security then
 * lets nothing else be seen or written; the binding ends with the transaction.
 */
export function forClient<T>(db: Database, clientId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('app.client_id', ${clientId}, true)`);
    return work(tx);
  });
}
