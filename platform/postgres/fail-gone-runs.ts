import { and, inArray, sql } from "drizzle-orm";

import type { Database } from "./database.ts";
import { journeyRuns } from "./schema.ts";

/**
 * Closes runs that Temporal no longer knows: terminated by hand, or lost with its data. A run writes down its own end
 * before it is over, so one that is open and gone will never do so, and would keep its person out for ever.
 */
export async function failGoneRuns(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db
    .update(journeyRuns)
    .set({ state: "failed", reason: "workflow_gone", ended_at: sql`clock_timestamp()` })
    .where(and(inArray(journeyRuns.id, [...ids]), inArray(journeyRuns.state, ["active", "held"])));
}
