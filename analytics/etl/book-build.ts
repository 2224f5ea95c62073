import { and, eq } from "drizzle-orm";

import { type BuildSource, builds } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import type { PartitionRow } from "./book.ts";

/** Of an aggregate that is not of days. */
export const NO_DAY = "0001-01-01";

/** Writes down what an aggregate, or its rows of a day, are made of. Without a digest there is nothing left of it. */
export async function bookBuild(tx: Transaction, row: typeof builds.$inferInsert): Promise<void> {
  if (row.digest === "") {
    const mine = and(eq(builds.client_id, row.client_id), eq(builds.aggregate, row.aggregate), eq(builds.day, row.day));
    await tx.delete(builds).where(mine);
    return;
  }
  const values = { ...row, built_at: new Date().toISOString() };
  const target = [builds.client_id, builds.aggregate, builds.day];
  await tx.insert(builds).values(values).onConflictDoUpdate({ target, set: values });
}

export function sourcesOf(hours: readonly PartitionRow[]): BuildSource[] {
  return hours.map((hour) => [hour.partition, hour.version, hour.people_version]);
}
