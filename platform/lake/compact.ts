import { readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";

import type { CompactionCounts, CompactionTarget } from "../../core/contracts/lake.ts";
import { NO_COUNTS } from "../../core/contracts/lake.ts";
import { AppError } from "../../core/errors.ts";
import { compactedFileName, isFileOf, parsePartition, parseRangeFileName } from "../../core/lake.ts";
import { sumCounts } from "../../core/sum-counts.ts";
import type { Context } from "../context.ts";
import type { DuckDBConnection, Warehouse } from "../warehouse/duckdb.ts";
import { bookMerged, dropDuplicates } from "./compaction-book.ts";
import { type FoundFile, selectInputs, selectSettled, type ShardProgress } from "./compaction-inputs.ts";
import { isMissing, type Lake, syncFolder } from "./lake.ts";
import { type Journal, journalName, readJournal, removeFiles, writeJournal } from "./journal.ts";
import { withPartitionLock } from "./partition-lock.ts";
import { countRows, findFilesWithDuplicates, mergeFiles } from "./merge-files.ts";

export interface CompactionDeps {
  ctx: Pick<Context, "db" | "log">;
  lake: Lake;
  warehouse: Warehouse;
  /** The checkpoints of the lake's consumer, of those of the shards that have one. */
  readProgress(shards: readonly string[]): Promise<ReadonlyMap<string, ShardProgress>>;
  /** Only files written before are touched. */
  writtenBeforeMs: number;
  /** Told between steps; throws where the work is to stop. */
  onStep(step: CompactionStep): Promise<void> | void;
}

/** In order. After any of them the process may die, and the next run goes on from there. */
export type CompactionStep = "planned" | "journalled" | "merged" | "dropped" | "published" | "removed" | "booked";

interface Place {
  target: CompactionTarget;
  /** Absolute. */
  folder: string;
}

/**
 * Merges a partition's small files until there is one, or each is large. Whoever reads through the lake sees every event once
 * throughout; a run that died half-way is finished first. Throws `conflict` where another process is at it.
 */
export async function compactPartition(deps: CompactionDeps, target: CompactionTarget): Promise<CompactionCounts> {
  if (parsePartition(target.partition) === undefined) throw new AppError("invalid", "not a partition of the lake");
  const place = { target, folder: deps.lake.absolute(target.partition) };
  return withPartitionLock(deps.ctx.db, target, () =>
    deps.warehouse.use((connection) => compactUnderLock(deps, connection, place)),
  );
}

async function compactUnderLock(deps: CompactionDeps, connection: DuckDBConnection, place: Place) {
  await finishInterrupted(deps, connection, place);
  let counts: CompactionCounts = { ...NO_COUNTS, partitions: 1 };
  for (;;) {
    const inputs = await planInputs(deps, connection, place);
    if (inputs.length === 0) return counts;
    await deps.onStep("planned");
    const duplicates = await mergeInputs(deps, connection, place, inputs);
    counts = sumCounts([counts, { ...NO_COUNTS, merged: inputs.length, written: 1, duplicates }]);
  }
}

/** Before the merged file was there nothing had happened; from then on the rest only has to be done again. */
async function finishInterrupted(deps: CompactionDeps, connection: DuckDBConnection, place: Place): Promise<void> {
  const journal = await readJournal(join(place.folder, journalName(place.target.client_id)));
  if (journal === undefined) return;
  deps.ctx.log.info({ partition: place.target.partition }, "finishing an interrupted compaction");
  if (await exists(join(place.folder, basename(journal.target)))) await finish(deps, connection, place, journal);
  else await removeJournal(place);
}

async function planInputs(deps: CompactionDeps, connection: DuckDBConnection, place: Place): Promise<FoundFile[]> {
  const files = await findFiles(place);
  const shards = new Set(files.flatMap((file) => parseRangeFileName(file.name)?.shard ?? []));
  const settled = selectSettled(files, await deps.readProgress([...shards]), deps.writtenBeforeMs);
  if (settled.length < 2) return [];
  const paths = settled.map((file) => join(place.folder, file.name));
  const twice = await findFilesWithDuplicates(connection, paths);
  return selectInputs(settled, new Set(twice.map((path) => basename(path))));
}

async function findFiles({ target, folder }: Place): Promise<FoundFile[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const own = names.filter((name) => isFileOf(target.client_id, name)).toSorted();
  return Promise.all(
    own.map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name));
      return { name, bytes: size, modifiedAtMs: mtimeMs };
    }),
  );
}

async function mergeInputs(
  deps: CompactionDeps,
  connection: DuckDBConnection,
  place: Place,
  files: readonly FoundFile[],
): Promise<number> {
  const inputs = files.map((file) => file.name);
  const journal: Journal = { target: compactedFileName(place.target.client_id, inputs), inputs };
  const temp = await deps.lake.tempPath();
  try {
    await writeJournal(place.folder, place.target.client_id, journal, `${temp}.json`);
    await deps.onStep("journalled");
    const paths = inputs.map((name) => join(place.folder, name));
    const merged = await mergeFiles(connection, paths, temp);
    if ((await countRows(connection, temp)) !== merged.rows) throw new AppError("internal", "merged file lacks rows");
    await deps.onStep("merged");
    await dropDuplicates(deps.ctx.db, place.target.client_id, merged.duplicates);
    await deps.onStep("dropped");
    await deps.lake.publish(temp, `${place.target.partition}/${journal.target}`);
    await deps.onStep("published");
    await finish(deps, connection, place, journal);
    return merged.duplicates.length + merged.copies;
  } finally {
    await rm(temp, { force: true });
    await rm(`${temp}.json`, { force: true });
  }
}

async function finish(
  deps: CompactionDeps,
  connection: DuckDBConnection,
  place: Place,
  journal: Journal,
): Promise<void> {
  const rows = await countRows(connection, join(place.folder, basename(journal.target)));
  await removeFiles(place.folder, journal.inputs);
  await syncFolder(place.folder);
  await deps.onStep("removed");
  const { size } = await stat(join(place.folder, basename(journal.target)));
  await bookMerged(deps.ctx.db, place.target, journal, { rows, bytes: size });
  await deps.onStep("booked");
  await removeJournal(place);
}

async function removeJournal({ folder, target }: Place): Promise<void> {
  await rm(join(folder, journalName(target.client_id)), { force: true });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}
