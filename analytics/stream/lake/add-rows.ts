import { lateFileName } from "../../../core/lake.ts";
import type { Position } from "../../../core/position.ts";
import type { Context } from "../../../platform/context.ts";
import type { Lake } from "../../../platform/lake/lake.ts";
import { withPartitionLock } from "../../../platform/lake/partition-lock.ts";
import { type DuckDBConnection, quoteList, type Warehouse } from "../../../platform/warehouse/duckdb.ts";
import { bookFiles } from "./book.ts";
import type { LakeRow, RejectedEntry } from "./select-rows.ts";
import { settleStale } from "./stale-files.ts";
import { writeFiles } from "./write-files.ts";

export interface AddRowsDeps {
  ctx: Pick<Context, "db" | "log">;
  lake: Lake;
  warehouse: Warehouse;
}

interface AddedRows {
  /** Had been in the lake before, under the place of their event. */
  there: LakeRow[];
  rejected: RejectedEntry[];
}

/**
 * Brings rows of one partition into the lake that did not come there with their batch. The lake itself says which of them it
 * has, whichever file they are in, and nobody compacts the partition meanwhile: so each is there once, however often this is
 * asked for, and wherever it died before. Throws `conflict` where the partition is being compacted.
 */
export async function addRows(deps: AddRowsDeps, rows: readonly LakeRow[]): Promise<AddedRows> {
  const [first] = rows;
  if (first === undefined) return { there: [], rejected: [] };
  const { clientId, partition } = first;
  return withPartitionLock(deps.ctx.db, { client_id: clientId, partition: partition.path }, async () => {
    const sources = rows.map((row) => row.source);
    // By all that were asked for: tried again, it is the same file.
    const name = lateFileName(clientId, sources);
    const known = await findPlaces(deps, partition.path, clientId, sources, name);
    const [there, missing] = [rows.filter(isKnown), rows.filter((row) => !isKnown(row))];
    const { files, rejected } = await writeFiles(deps, () => name, missing);
    await settleStale(deps, await bookFiles(deps.ctx.db, files));
    return { there, rejected };

    function isKnown({ source }: LakeRow): boolean {
      return known.has(placeOf(source));
    }
  });
}

/** Those of the places that a file of the partition has, other than the one named. */
async function findPlaces(
  { lake, warehouse }: AddRowsDeps,
  partition: string,
  clientId: string,
  sources: readonly Position[],
  except: string,
): Promise<Set<string>> {
  const list = async () => {
    const files = await lake.listFiles({ path: partition, dt: "", hour: "", endsAtMs: 0 });
    return files.filter((path) => !path.endsWith(`/${except}`));
  };
  return warehouse.use((connection) =>
    lake.withFiles(list, (paths) => selectPlaces(connection, paths, clientId, sources)),
  );
}

async function selectPlaces(
  connection: DuckDBConnection,
  paths: readonly string[],
  clientId: string,
  sources: readonly Position[],
): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  const found = await connection.runAndReadAll(
    `SELECT DISTINCT source_shard AS shard, source_sequence AS sequence, source_index AS index
     FROM read_parquet(${quoteList(paths)}, hive_partitioning = false)
     WHERE client_id = $1 AND source_sequence IN (SELECT unnest(${quoteList(sources.map((source) => source.sequence))}))`,
    [clientId],
  );
  return new Set(found.getRowObjectsJson().map((row) => placeOf(row as unknown as Position)));
}

function placeOf({ shard, sequence, index }: Position): string {
  return `${shard} ${sequence} ${index}`;
}
