import { readdir, rm, stat } from "node:fs/promises";

import { and, inArray, isNotNull, isNull, lt, sql } from "drizzle-orm";

import { isGuid } from "../../core/uuid.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Context } from "../context.ts";
import { backfills } from "../postgres/schema.ts";
import { backfillFolder, uploadsFolder } from "./folders.ts";

/** An upload takes no longer: what is older, and nobody's, was broken off. */
const ORPHAN_AFTER_MS = 24 * HOUR_MS;
const AT_ONCE = 100;

/** Removes the files of backfills that ended long enough ago, and of uploads that never became one. Answers how many. */
export async function sweepBackfillFiles({ config, db }: Pick<Context, "config" | "db">): Promise<number> {
  const keptMs = config.LIVORA_BACKFILL_KEPT_HOURS * HOUR_MS;
  const isOver = lt(backfills.ended_at, new Date(Date.now() - keptMs).toISOString());
  const due = await db.query.backfills.findMany({
    columns: { id: true },
    where: and(isOver, isNotNull(backfills.ended_at), isNull(backfills.files_removed_at)),
    limit: AT_ONCE,
  });
  const ids = due.map(({ id }) => id);
  for (const id of [...ids, ...(await findOrphans({ config, db }))]) {
    await rm(backfillFolder(config, id).folder, { recursive: true, force: true });
  }
  if (ids.length > 0) {
    const set = { files_removed_at: sql`clock_timestamp()` };
    await db.update(backfills).set(set).where(inArray(backfills.id, ids));
  }
  return ids.length;
}

async function findOrphans({ config, db }: Pick<Context, "config" | "db">): Promise<string[]> {
  const root = uploadsFolder(config);
  const names = await readdir(root).catch(() => []);
  const old: string[] = [];
  for (const name of names.filter(isGuid)) {
    const found = await stat(backfillFolder(config, name).folder).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > ORPHAN_AFTER_MS) old.push(name);
  }
  if (old.length === 0) return [];
  const rows = await db.query.backfills.findMany({ columns: { id: true }, where: inArray(backfills.id, old) });
  const known = new Set(rows.map(({ id }) => id));
  return old.filter((id) => !known.has(id));
}
