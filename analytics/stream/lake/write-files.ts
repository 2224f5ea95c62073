import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { DuckDBDataChunk, INTEGER, VARCHAR } from "@duckdb/node-api";

import { AppError } from "../../../core/errors.ts";
import type { LakePartition } from "../../../core/lake.ts";
import type { Lake } from "../../../platform/lake/lake.ts";
import { type DuckDBConnection, quote, type Warehouse } from "../../../platform/warehouse/duckdb.ts";
import { selectColumns } from "./columns.ts";
import type { LakeRow, RejectedEntry } from "./select-rows.ts";

export interface WrittenFile {
  path: string;
  clientId: string;
  partition: LakePartition;
  rows: number;
  bytes: number;
}

export interface Writing {
  files: WrittenFile[];
  rejected: RejectedEntry[];
}

const CHUNK_ROWS = 2_048;
/** Each file that is open takes memory: a thousand took more than the consumer has. */
const PARTS_AT_ONCE = 32;

/** SQL could not make a file of the rows: theirs may be the fault, or the disk's. */
class UnreadableRows extends Error {
  override readonly name = "UnreadableRows";
}

/** What a file is called that holds this client's rows. */
type FileNaming = (clientId: string) => string;

/**
 * One file for each client and hour that the rows touch. The same rows give the same files, byte for byte. Rows that SQL
 * cannot read are set aside; trouble with the disk is thrown.
 */
export async function writeFiles(
  deps: { lake: Lake; warehouse: Warehouse },
  nameFor: FileNaming,
  rows: readonly LakeRow[],
  signal?: AbortSignal,
): Promise<Writing> {
  if (rows.length === 0) return { files: [], rejected: [] };
  return deps.warehouse.use(async (connection) => {
    const parts = groupByPartition(rows);
    const staged = parts.flatMap((part) => part.rows);
    await stageRows(connection, parts);
    try {
      return { files: await copyParts(deps.lake, connection, nameFor, parts, signal), rejected: [] };
    } catch (error) {
      if (!(error instanceof UnreadableRows)) throw error;
      const faults = await findFaults(connection, staged);
      if (faults.size === 0) throw error.cause;
      const sound = rows.filter((row) => !faults.has(row));
      const rest = await writeFiles(deps, nameFor, sound, signal);
      return { files: rest.files, rejected: [...toRejected(faults), ...rest.rejected] };
    }
  });
}

/** One of the files to be: rows of one client and hour. A batch's rows of a partition share its object. */
interface Part {
  clientId: string;
  partition: LakePartition;
  rows: LakeRow[];
}

function groupByPartition(rows: readonly LakeRow[]): Part[] {
  const parts = new Map<LakePartition, Part>();
  for (const row of rows) {
    const part = parts.get(row.partition);
    if (part === undefined) parts.set(row.partition, { clientId: row.clientId, partition: row.partition, rows: [row] });
    else part.rows.push(row);
  }
  return [...parts.values()];
}

async function stageRows(connection: DuckDBConnection, parts: readonly Part[]): Promise<void> {
  await connection.run(
    "CREATE TEMP TABLE staged (n INTEGER, part INTEGER, enrichment VARCHAR, raw VARCHAR, body VARCHAR)",
  );
  const rows = parts.flatMap((part) => part.rows);
  const numbers = parts.flatMap((part, number) => part.rows.map(() => number));
  const appender = await connection.createAppender("staged");
  for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
    const some = rows.slice(start, start + CHUNK_ROWS);
    const chunk = DuckDBDataChunk.create([INTEGER, INTEGER, VARCHAR, VARCHAR, VARCHAR]);
    chunk.setColumns([
      some.map((_, i) => start + i),
      numbers.slice(start, start + CHUNK_ROWS),
      some.map((row) => row.enrichment),
      some.map((row) => row.raw),
      some.map((row) => row.body),
    ]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

async function copyParts(
  lake: Lake,
  connection: DuckDBConnection,
  nameFor: FileNaming,
  parts: readonly Part[],
  signal?: AbortSignal,
): Promise<WrittenFile[]> {
  const files: WrittenFile[] = [];
  for (let from = 0; from < parts.length; from += PARTS_AT_ONCE) {
    const folder = await lake.tempPath();
    try {
      await copyTo(connection, folder, from);
      for (const [i, { clientId, partition, rows }] of parts.slice(from, from + PARTS_AT_ONCE).entries()) {
        signal?.throwIfAborted();
        const path = `${partition.path}/${nameFor(clientId)}`;
        const bytes = await lake.publish(await findOnlyFile(join(folder, `part=${from + i}`)), path);
        files.push({ path, clientId, partition, rows: rows.length, bytes });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return files;
}

/** Several files in one statement, outside `raw/`. Rows are in order of part, so each is one file. */
async function copyTo(connection: DuckDBConnection, folder: string, from: number): Promise<void> {
  const rows = selectColumns(`part >= ${from} AND part < ${from + PARTS_AT_ONCE}`);
  await connection
    .run(`COPY (${rows}) TO ${quote(folder)} (FORMAT parquet, COMPRESSION snappy, PARTITION_BY (part))`)
    .catch((cause: unknown) => Promise.reject(new UnreadableRows("COPY failed", { cause })));
}

async function findOnlyFile(folder: string): Promise<string> {
  const [name, ...more] = await readdir(folder);
  if (name === undefined || more.length > 0) throw new AppError("internal", "a part of a batch is not one file");
  return join(folder, name);
}

/** The rows that cannot be read even alone, with why. Throws where nothing can be read. */
async function findFaults(connection: DuckDBConnection, rows: readonly LakeRow[]): Promise<Map<LakeRow, string>> {
  const faults = new Map<LakeRow, string>();
  await connection.run("INSERT INTO staged VALUES (-1, -1, '{}', '{}', NULL)");
  await connection.run(selectColumns("n = -1"));

  async function search(from: number, to: number): Promise<void> {
    const row = rows[from];
    if (row === undefined || from >= to) return;
    const reason = await readError(connection, from, to);
    if (reason === undefined) return;
    if (to - from === 1) return void faults.set(row, reason);
    const middle = (from + to) >> 1;
    await search(from, middle);
    await search(middle, to);
  }
  await search(0, rows.length);
  return faults;
}

async function readError(connection: DuckDBConnection, from: number, to: number): Promise<string | undefined> {
  return connection.run(selectColumns(`n >= ${from} AND n < ${to}`)).then(
    () => undefined,
    (error: unknown) => describeError(error),
  );
}

/** DuckDB quotes the text that it could not read; that is no part of a reason. */
function describeError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*Input: [^]*$/, "");
}

function toRejected(faults: ReadonlyMap<LakeRow, string>): RejectedEntry[] {
  return [...faults].map(([{ entry, clientId, eventId }, reason]) => ({ entry, reason, clientId, eventId }));
}
