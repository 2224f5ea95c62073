import { rm, stat } from "node:fs/promises";

import { sql } from "drizzle-orm";

import type { Context } from "../../../platform/context.ts";
import type { Lake } from "../../../platform/lake/lake.ts";

/**
 * Files just written that a compaction has taken in before: another process finished this very range long ago, and this
 * one, asleep until now, has brought them back. Where the merged file is there they go again; where it is not (the lake was
 * moved or removed, the book was not) they stay, and the book is put right.
 */
export async function settleStale(
  { ctx, lake }: { ctx: Pick<Context, "db" | "log">; lake: Lake },
  paths: readonly string[],
): Promise<void> {
  if (paths.length === 0) return;
  const successors = await findSuccessors(ctx, paths);
  for (const path of paths) {
    const merged = await findExisting(lake, successors.get(path) ?? []);
    if (merged === undefined) await forgetCompaction(ctx, path);
    else await rm(lake.absolute(path), { force: true });
    ctx.log.warn({ path, merged }, "lake file was compacted before");
  }
}

/** What each was merged into, and what that was merged into, and so on. */
async function findSuccessors({ db }: Pick<Context, "db">, paths: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await db.execute<{ origin: string; path: string }>(sql`
    with recursive successor as (
      select path as origin, compacted_into as path from lake_files
      where compacted_into is not null
        and path in (select jsonb_array_elements_text(${JSON.stringify(paths)}::text::jsonb))
      union
      select successor.origin, file.compacted_into from successor
      join lake_files file on file.path = successor.path where file.compacted_into is not null
    ) select origin, path from successor`);
  const found = new Map<string, string[]>();
  for (const { origin, path } of rows) found.set(origin, [...(found.get(origin) ?? []), path]);
  return found;
}

async function findExisting(lake: Lake, paths: readonly string[]): Promise<string | undefined> {
  const found = await Promise.all(
    paths.map((path) =>
      stat(lake.absolute(path)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.find((_, i) => found[i]);
}

async function forgetCompaction({ db }: Pick<Context, "db">, path: string): Promise<void> {
  await db.execute(sql`update lake_files set compacted_into = null where path = ${path}`);
}
