import { and, eq } from "drizzle-orm";

import type { BackfillFailure } from "../../core/contracts/backfill.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import type { Database } from "../../platform/postgres/database.ts";
import { backfills } from "../../platform/postgres/schema.ts";

export type BackfillRow = typeof backfills.$inferSelect;

export interface BackfillName {
  client_id: string;
  backfill_id: string;
}

export function whichBackfill({ client_id, backfill_id }: BackfillName) {
  return and(eq(backfills.client_id, client_id), eq(backfills.id, backfill_id));
}

/** Throws `not_found`. */
export async function findBackfill(db: Database, name: BackfillName): Promise<BackfillRow> {
  const row = await db.query.backfills.findFirst({ where: whichBackfill(name) });
  if (row === undefined) throw new AppError("not_found", "There is no such backfill.");
  return row;
}

/** What is wrong with the file, or with the mapping for it, ends the backfill with a word of it. All else is thrown, and tried again. */
export async function orFailure<T>(work: () => Promise<T>): Promise<T | { failure: BackfillFailure }> {
  try {
    return await work();
  } catch (error) {
    const failure = failureOf(error);
    if (failure === null) throw error;
    return { failure };
  }
}

function failureOf(error: unknown): BackfillFailure | null {
  if (isAppError(error, "invalid")) return { message: error.message, faults: [...error.faults] };
  const isGone = (error as NodeJS.ErrnoException | null)?.code === "ENOENT";
  return isGone ? { message: "The file is gone.", faults: [] } : null;
}
