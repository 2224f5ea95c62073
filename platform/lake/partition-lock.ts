import { sql } from "drizzle-orm";

import type { CompactionTarget } from "../../core/contracts/lake.ts";
import { AppError } from "../../core/errors.ts";
import type { Database } from "../postgres/database.ts";

/**
 * Does what must not meet a compaction of the same partition, or the like of itself, in another process. Throws `conflict`
 * where somebody else is at it.
 */
export function withPartitionLock<T>(
  db: Database,
  { client_id, partition }: CompactionTarget,
  work: () => Promise<T>,
): Promise<T> {
  return db.transaction(async (lock) => {
    const key = `lake:${partition}:${client_id}`;
    const [row] = await lock.execute(sql`select pg_try_advisory_xact_lock(hashtextextended(${key}, 0)) as held`);
    if (row?.["held"] !== true) throw new AppError("conflict", "the partition is being worked on elsewhere");
    return work();
  });
}
