import type { EtlScope } from "../../core/contracts/etl.ts";
import type { PartitionCheck } from "../../core/etl-check.ts";
import { isFileOf } from "../../core/lake.ts";
import { readRawFiles } from "../../platform/lake/raw-files.ts";
import { type DuckDBConnection, quote } from "../../platform/warehouse/duckdb.ts";
import { changePartition, findPartition, type NewHour } from "./book.ts";
import { findFileFault } from "./check-files.ts";
import { hourFile, removeOldVersions } from "./curated-files.ts";
import type { EtlDeps } from "./deps.ts";
import { writeFile } from "./write-file.ts";

/**
 * Which of an event's occurrences counts: the one acknowledged first. It is the order in which compaction keeps one within an hour, so
 * that it does not matter whether an hour was compacted before or after this.
 */
export const PLACE = "length(source_sequence), source_sequence, source_index, source_shard";
/** 128 bits of an event's id, as two numbers: Parquet has none that long. */
export const ID_HASH = "md5_number_upper(event_id) AS h1, md5_number_lower(event_id) AS h2";
export const IDS_EMPTY =
  "NULL::UBIGINT AS h1, NULL::UBIGINT AS h2, NULL::VARCHAR AS source_sequence, NULL::INTEGER AS source_index, NULL::VARCHAR AS source_shard";

/** The raw files of an hour that count now, and that are this client's. */
export async function withRawFiles<T>(
  { lake }: EtlDeps,
  clientId: string,
  partition: string,
  read: (files: string) => Promise<T>,
): Promise<T> {
  const place = { path: partition, dt: "", hour: "", endsAtMs: 0 };
  const list = async () => (await lake.listFiles(place)).filter((path) => isFileOf(clientId, path));
  return lake.withFiles(list, (paths) => read(readRawFiles(paths)));
}

/** Rows that can be anybody's: the others are counted as rejected. */
export function isSound(clientId: string): string {
  return `event_id IS NOT NULL AND timestamp IS NOT NULL AND event_type IS NOT NULL AND client_id = ${quote(clientId)}
    AND source_sequence IS NOT NULL AND source_index IS NOT NULL AND source_shard IS NOT NULL`;
}

/**
 * Writes down which events lie in an hour, each with its first place. A file that cannot be read holds the hour back: the answer says
 * so, and what was there before still counts.
 */
export async function stageIds(deps: EtlDeps, scope: EtlScope, hour: NewHour): Promise<PartitionCheck | undefined> {
  const { client_id } = scope;
  const before = await findPartition(deps.ctx.db, client_id, hour.partition);
  const version = (before?.ids_version ?? 0) + 1;
  const path = hourFile(client_id, hour.partition, "ids", version);
  const failed = await findFault(hour.rows, async () => {
    const fault = await findFileFault(deps, client_id, hour.partition);
    if (fault !== undefined) return fault;
    await deps.warehouse.use((connection) =>
      withRawFiles(deps, client_id, hour.partition, (files) => writeIds(deps, connection, { client_id, files, path })),
    );
    return undefined;
  });
  if (failed !== undefined) {
    await changePartition(deps.ctx.db, client_id, hour.partition, { state: "held", checks: [failed] });
    return failed;
  }
  const change = { ids_digest: hour.digest, ids_version: version, files: hour.files, is_settled: false };
  await changePartition(deps.ctx.db, client_id, hour.partition, change);
  await removeOldVersions(deps.lake, path);
  return undefined;
}

async function writeIds(
  { lake }: EtlDeps,
  connection: DuckDBConnection,
  { client_id, files, path }: { client_id: string; files: string; path: string },
): Promise<void> {
  const place = "{'l': length(source_sequence), 's': source_sequence, 'i': source_index, 'h': source_shard}";
  const rows = `
    SELECT h1, h2, first.s AS source_sequence, first.i AS source_index, first.h AS source_shard
    FROM (SELECT h1, h2, min(place) AS first
      FROM (SELECT ${ID_HASH}, ${place} AS place FROM ${files} WHERE ${isSound(client_id)})
      GROUP BY h1, h2)
    ORDER BY h1, h2`;
  await writeFile(lake, connection, rows, path);
}

/** What is wrong with files as a check that fails: also that one of them cannot be read. */
export async function findFault(
  rows: number,
  look: () => Promise<PartitionCheck | undefined>,
): Promise<PartitionCheck | undefined> {
  try {
    return await look();
  } catch (error) {
    const detail = describe(error);
    if (isOurs(detail)) throw error;
    return { check: "readable", ok: false, holds: true, rows, detail };
  }
}

/** Trouble with disk or memory is no fault of a file. */
function isOurs(message: string): boolean {
  return /no space|out of memory|too many open files|permission denied/i.test(message);
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/'?\/[^\s'"]*\//g, "…/").slice(0, 300);
}
