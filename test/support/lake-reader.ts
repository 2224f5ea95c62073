import { tmpdir } from "node:os";
import { join } from "node:path";

import { createLake } from "../../platform/lake/lake.ts";
import { createWarehouse, quoteList } from "../../platform/warehouse/duckdb.ts";

const warehouse = createWarehouse({
  memoryLimit: "1GB",
  threads: 1,
  tempFolder: join(tmpdir(), `livora-lake-reader-${process.pid}`),
});

/** A row of the lake as JSON: times as `YYYY-MM-DD HH:MM:SS[.ffffff]` in UTC, big integers as strings. */
export type LakeRecord = Record<string, unknown>;

/**
 * Asks SQL of the raw events in a lake's folder, of one client or of all: `FROM events`. Every event stands there once,
 * also while the lake is being written and compacted. An empty lake has no rows, whatever the question.
 */
export async function queryLake(folder: string, sql: string, clientId?: string): Promise<LakeRecord[]> {
  const lake = createLake(folder);
  return lake.withFiles(
    () => listLakeFiles(folder, clientId),
    async (paths) => {
      if (paths.length === 0) return [];
      return warehouse.use(async (connection) => {
        await connection.run(
          `CREATE TEMP VIEW events AS FROM read_parquet(${quoteList(paths)}, hive_partitioning = false)`,
        );
        return (await connection.runAndReadAll(sql)).getRowObjectsJson();
      });
    },
  );
}

/** Relative to the lake's folder. */
export async function listLakeFiles(folder: string, clientId?: string): Promise<string[]> {
  const lake = createLake(folder);
  const partitions = await lake.listPartitions(clientId);
  return (await Promise.all(partitions.map((partition) => lake.listFiles(partition)))).flat();
}

/** The ids of all events, as often as they are there, in order of id. */
export async function readLakeIds(folder: string, clientId?: string): Promise<string[]> {
  const rows = await queryLake(folder, "SELECT event_id FROM events ORDER BY event_id", clientId);
  return rows.map((row) => String(row["event_id"]));
}

/** All rows, in order of the place where their events were acknowledged. */
export async function readLakeRows(folder: string, clientId?: string): Promise<LakeRecord[]> {
  const order = "length(source_sequence), source_sequence, source_index, source_shard";
  return queryLake(folder, `SELECT * FROM events ORDER BY ${order}`, clientId);
}

/** How many rows there are, and how many different events: the two are equal in a healthy lake. */
export async function countLake(folder: string, clientId?: string): Promise<{ rows: number; ids: number }> {
  const [counts] = await queryLake(
    folder,
    "SELECT count(*) AS rows, count(DISTINCT event_id) AS ids FROM events",
    clientId,
  );
  return { rows: Number(counts?.["rows"] ?? 0), ids: Number(counts?.["ids"] ?? 0) };
}
