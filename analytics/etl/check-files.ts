import { join } from "node:path";

import { sql } from "drizzle-orm";

import type { PartitionCheck } from "../../core/etl-check.ts";
import { journalName, readJournal } from "../../platform/lake/journal.ts";
import { type DuckDBConnection, quoteList } from "../../platform/warehouse/duckdb.ts";
import { judge } from "./checks.ts";
import { type EtlDeps, query } from "./deps.ts";

interface BookedFile extends Record<string, unknown> {
  path: string;
  rows: number;
}

/**
 * Undefined where an hour's raw files are those of the lake's book, with as many rows. What the consumer has written and not yet booked is no
 * fault: it is news of the next run. Throws where a file cannot be read.
 */
export async function findFileFault(
  deps: Pick<EtlDeps, "ctx" | "lake" | "warehouse">,
  clientId: string,
  partition: string,
): Promise<PartitionCheck | undefined> {
  const check = await deps.warehouse.use((connection) => checkFiles(deps, connection, { clientId, partition }));
  return check.ok ? undefined : check;
}

async function checkFiles(
  deps: Pick<EtlDeps, "ctx" | "lake">,
  connection: DuckDBConnection,
  { clientId, partition }: { clientId: string; partition: string },
): Promise<PartitionCheck> {
  // Between its files and the book a compaction changes one after the other; its journal is there from before until after.
  const journal = join(deps.lake.absolute(partition), journalName(clientId));
  if ((await readJournal(journal)) !== undefined) return judge("completeness", 0, "", true);
  const differing = await findDiffering(deps, connection, { clientId, partition });
  // One that has begun or ended in between is seen at the second look.
  const again = differing.length === 0 ? [] : await findDiffering(deps, connection, { clientId, partition });
  const lasting = again.filter((file) => differing.some(({ path }) => path === file.path));
  const rows = lasting.reduce((sum, file) => sum + Math.max(1, Math.abs(file.rows - file.found)), 0);
  const names = lasting.map(({ path, rows, found }) => `${path.split("/").at(-1)} has ${found} rows of ${rows}`);
  return judge("completeness", rows, `rows are not as the lake's book has them: ${names.slice(0, 3).join("; ")}`, true);
}

async function findDiffering(
  { ctx, lake }: Pick<EtlDeps, "ctx" | "lake">,
  connection: DuckDBConnection,
  { clientId, partition }: { clientId: string; partition: string },
): Promise<(BookedFile & { found: number })[]> {
  const booked = await ctx.db.execute<BookedFile>(sql`
    select path, rows::float8 as rows from lake_files
    where client_id = ${clientId} and partition = ${partition} and compacted_into is null`);
  const list = async () => {
    const files = await lake.listFiles({ path: partition, dt: "", hour: "", endsAtMs: 0 });
    return files.filter((path) => booked.some((file) => file.path === path));
  };
  const counted = await lake.withFiles(list, async (paths) =>
    paths.length === 0
      ? []
      : query(connection, `SELECT file_name, num_rows FROM parquet_file_metadata(${quoteList(paths)})`),
  );
  const found = new Map(counted.map((row) => [String(row["file_name"]), Number(row["num_rows"])]));
  return booked
    .map((file) => ({ ...file, found: found.get(lake.absolute(file.path)) ?? 0 }))
    .filter((file) => file.found !== file.rows);
}
