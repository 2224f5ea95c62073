import { and, eq, inArray } from "drizzle-orm";

import { etlPartitions } from "../../platform/postgres/schema.ts";
import { type DuckDBConnection, quote } from "../../platform/warehouse/duckdb.ts";
import { changeClient, findClient, listPartitions, type PartitionRow } from "./book.ts";
import { clientFile, hourFile, removeOldVersions } from "./curated-files.ts";
import { type EtlDeps, query } from "./deps.ts";
import { readFiles } from "./read-files.ts";
import { IDS_EMPTY, PLACE } from "./stage-ids.ts";
import { writeFile } from "./write-file.ts";

/** So many ids are looked for at once: the side of the join that is held in memory. */
const IDS_AT_ONCE = 2_000_000;
export const REPEATS_EMPTY = "NULL::UBIGINT AS h1, NULL::UBIGINT AS h2, NULL::VARCHAR AS partition";

/**
 * Finds the events that lie in several hours, and which hour keeps each: the one where it was acknowledged first. Hours that must now
 * leave out other events than before are to be built again; what was said of all others stands. Idempotent: what is settled is written
 * down with the new file in one transaction.
 */
export async function settleRepeats(deps: EtlDeps, clientId: string): Promise<void> {
  const { db } = deps.ctx;
  const known = (await listPartitions(db, clientId)).filter((row) => row.ids_version > 0);
  const fresh = known.filter((row) => !row.is_settled);
  if (fresh.length === 0) return;
  const { repeats_version } = await findClient(db, clientId);
  const before = repeats_version === 0 ? [] : [clientFile(clientId, "repeats", repeats_version)];
  const path = clientFile(clientId, "repeats", repeats_version + 1);
  const disturbed = await deps.warehouse.use(async (connection) => {
    await connection.run(`CREATE TEMP VIEW before AS FROM ${readFiles(deps.lake, before, REPEATS_EMPTY)}`);
    await findSuspects(deps, connection, { clientId, known, fresh });
    await connection.run(`CREATE TEMP TABLE after AS ${losers(deps, clientId, known)}`);
    await writeFile(deps.lake, connection, "SELECT * FROM after ORDER BY partition, h1, h2", path);
    const changed = await query(
      connection,
      `SELECT DISTINCT partition FROM ((FROM before EXCEPT FROM after) UNION ALL (FROM after EXCEPT FROM before))`,
    );
    return changed.map((row) => String(row["partition"]));
  });
  await db.transaction(async (tx) => {
    const of = (partitions: readonly string[]) =>
      and(eq(etlPartitions.client_id, clientId), inArray(etlPartitions.partition, [...partitions]));
    if (disturbed.length > 0) await tx.update(etlPartitions).set({ is_disturbed: true }).where(of(disturbed));
    await tx
      .update(etlPartitions)
      .set({ is_settled: true })
      .where(of(fresh.map((row) => row.partition)));
    await changeClient(tx, clientId, { repeats_version: repeats_version + 1 });
  });
  await removeOldVersions(deps.lake, path);
}

/** Ids of the new hours that another hour has, too, and those that were known to be in several. */
async function findSuspects(
  deps: EtlDeps,
  connection: DuckDBConnection,
  { clientId, known, fresh }: { clientId: string; known: readonly PartitionRow[]; fresh: readonly PartitionRow[] },
): Promise<void> {
  await connection.run("CREATE TEMP TABLE suspects AS SELECT DISTINCT h1, h2 FROM before");
  const idsOf = (rows: readonly PartitionRow[]) =>
    readFiles(
      deps.lake,
      rows.map((row) => hourFile(clientId, row.partition, "ids", row.ids_version)),
      IDS_EMPTY,
    );
  const [count] = await query(connection, `SELECT count(*) AS n FROM ${idsOf(fresh)}`);
  const parts = Math.ceil(Number(count?.["n"] ?? 0) / IDS_AT_ONCE);
  const freshOnes = new Set(fresh.map((row) => row.partition));
  const others = known.filter((row) => !freshOnes.has(row.partition));
  for (let part = 0; part < parts; part++) {
    const some = `h1 % ${parts} = ${part}`;
    await connection.run(
      `INSERT INTO suspects SELECT h1, h2 FROM ${idsOf(fresh)} WHERE ${some} GROUP BY ALL HAVING count(*) > 1`,
    );
    await connection.run(`INSERT INTO suspects SELECT h1, h2 FROM ${idsOf(others)} WHERE ${some}
      AND (h1, h2) IN (SELECT (h1, h2) FROM ${idsOf(fresh)} WHERE ${some})`);
  }
}

/** All but the first hour of each suspect. */
function losers(deps: EtlDeps, clientId: string, known: readonly PartitionRow[]): string {
  const sources = known.map((row) => {
    const file = hourFile(clientId, row.partition, "ids", row.ids_version);
    return [quote(deps.lake.absolute(file)), quote(row.partition)];
  });
  const names = `MAP {${sources.map(([file, partition]) => `${file}: ${partition}`).join(", ")}}`;
  const files = `read_parquet([${sources.map(([file]) => file).join(", ")}], hive_partitioning = false, filename = true)`;
  return `
    SELECT h1, h2, ${names}[filename] AS partition
    FROM ${files} WHERE (h1, h2) IN (SELECT (h1, h2) FROM suspects)
    QUALIFY row_number() OVER (PARTITION BY h1, h2 ORDER BY ${PLACE}, filename) > 1`;
}
