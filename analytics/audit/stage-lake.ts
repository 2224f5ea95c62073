import { readdir } from "node:fs/promises";

import { sql } from "drizzle-orm";

import { RECEIPTS_ROOT, parseAuditFolder, receiptsFolder } from "../../core/audit.ts";
import { partitionOf } from "../../core/lake.ts";
import { HOUR_MS } from "../../core/time.ts";
import { isMissing, type Lake } from "../../platform/lake/lake.ts";
import { quoteList } from "../../platform/warehouse/duckdb.ts";
import { isOfClient, isWithin, type Pass, query } from "./scope.ts";

const NO_RECEIPTS = `SELECT NULL::VARCHAR AS client_id, NULL::VARCHAR AS event_id, NULL::TIMESTAMP AS received_at,
  NULL::TIMESTAMP AS arrived_at, NULL::TIMESTAMP AS sent_at, NULL::VARCHAR AS shard, NULL::VARCHAR AS sequence, NULL::INTEGER AS index,
  NULL::VARCHAR AS edge, NULL::BIGINT AS envelope, NULL::INTEGER AS ordinal WHERE FALSE`;
const NO_ROWS = `SELECT NULL::VARCHAR AS client_id, NULL::VARCHAR AS event_id, NULL::VARCHAR AS shard, NULL::VARCHAR AS sequence,
  NULL::INTEGER AS index, NULL::VARCHAR AS file, NULL::TIMESTAMP AS received_at, FALSE AS here WHERE FALSE`;

/** The hour's receipts as `receipts`. */
export async function stageReceipts(pass: Pass): Promise<void> {
  const { deps, connection, hourMs } = pass;
  const folder = deps.lake.absolute(receiptsFolder(hourMs));
  const names = (await listNames(folder)).filter((name) => name.endsWith(".parquet"));
  const files = `read_parquet(${quoteList(names.map((name) => `${folder}/${name}`))}, hive_partitioning = false)`;
  const rows = names.length === 0 ? NO_RECEIPTS : `SELECT * FROM ${files} WHERE ${isOfClient(pass.clientId)}`;
  await connection.run(`CREATE OR REPLACE TEMP TABLE receipts AS ${rows}`);
}

/** The first hour of which there are receipts, epoch milliseconds; infinite where there are none. */
export async function findFirstReceipts(lake: Lake): Promise<number> {
  const days = (await listNames(lake.absolute(RECEIPTS_ROOT))).toSorted();
  for (const day of days) {
    const hours = (await listNames(lake.absolute(`${RECEIPTS_ROOT}/${day}`))).toSorted();
    const first = hours
      .map((hour) => parseAuditFolder(`${RECEIPTS_ROOT}/${day}/${hour}`))
      .find((ms) => ms !== undefined);
    if (first !== undefined) return first;
  }
  return Infinity;
}

export async function listNames(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
}

/** A file that the lake's book has, and the disk has not. */
export interface GoneFile {
  path: string;
  partition: string;
  client_id: string;
  rows: number;
}

/**
 * As `lake`, of the partitions that the hour's events belong to, or that were written to in that time: the rows received in that hour
 * (`here`), and all others that bear the id of one of the hour's receipts. Answers what the book has of them and the disk has not.
 */
export async function stageLake(pass: Pass): Promise<GoneFile[]> {
  const { deps, connection } = pass;
  const partitions = await findPartitions(pass);
  const listed = new Set<string>();
  const list = async () => {
    listed.clear();
    const files = await Promise.all(
      partitions.map((path) => deps.lake.listFiles({ path, dt: "", hour: "", endsAtMs: 0 })),
    );
    for (const file of files.flat()) listed.add(file);
    return [...listed];
  };
  await deps.lake.withFiles(list, async (paths) => {
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE lake AS ${paths.length === 0 ? NO_ROWS : selectLake(pass, paths)}`,
    );
  });
  const booked = await findBooked(pass, partitions);
  return booked.filter((file) => !listed.has(file.path));
}

function selectLake(pass: Pass, paths: readonly string[]): string {
  return `
    SELECT client_id, event_id, source_shard AS shard, source_sequence AS sequence, source_index AS index, filename AS file,
      received_at, (${isWithin(pass)}) AS here
    FROM read_parquet(${quoteList(paths)}, hive_partitioning = false, filename = true)
    WHERE ${isOfClient(pass.clientId)} AND ((${isWithin(pass)}) OR lower(event_id) IN (SELECT lower(event_id) FROM receipts))`;
}

/** Their paths below the lake's root. */
async function findPartitions({ deps, connection, hourMs, clientId }: Pass): Promise<string[]> {
  const hours = await query(
    connection,
    `SELECT DISTINCT client_id, epoch_ms(date_trunc('hour', least(sent_at, received_at)))::DOUBLE AS ms FROM receipts WHERE sent_at IS NOT NULL`,
  );
  const paths = new Set(hours.map(({ client_id, ms }) => partitionOf(String(client_id), Number(ms)).path));
  for (const client of new Set(hours.map((row) => String(row["client_id"]))))
    paths.add(partitionOf(client, hourMs).path);
  const [from, to] = [hourMs, hourMs + 2 * HOUR_MS].map((ms) => new Date(ms).toISOString());
  const written = await deps.ctx.db.execute<{ partition: string }>(sql`
    select distinct partition from lake_files where created_at >= ${from} and created_at < ${to}
      and (${clientId ?? null}::text is null or client_id = ${clientId ?? null})`);
  for (const { partition } of written) paths.add(partition);
  return [...paths];
}

async function findBooked({ deps, clientId }: Pass, partitions: readonly string[]): Promise<GoneFile[]> {
  if (partitions.length === 0) return [];
  const rows = await deps.ctx.db.execute<{ path: string; partition: string; client_id: string; rows: string }>(sql`
    select path, partition, client_id, rows from lake_files
    where compacted_into is null and partition in (select jsonb_array_elements_text(${JSON.stringify(partitions)}::text::jsonb))
      and (${clientId ?? null}::text is null or client_id = ${clientId ?? null})`);
  return rows.map((row) => ({ ...row, rows: Number(row.rows) }));
}

/** Wherever in their clients' lake these ids are, as `found(client_id, id, file)`, from `sought(client_id, id)`. */
export async function searchLake({ deps, connection }: Pass): Promise<void> {
  await connection.run("CREATE OR REPLACE TEMP TABLE found (client_id VARCHAR, id VARCHAR, file VARCHAR)");
  for (const row of await query(connection, "SELECT DISTINCT client_id FROM sought")) {
    const client = String(row["client_id"]);
    const partitions = await deps.lake.listPartitions(client);
    const list = async () => (await Promise.all(partitions.map((one) => deps.lake.listFiles(one)))).flat();
    await deps.lake.withFiles(list, async (paths) => {
      if (paths.length === 0) return;
      await connection.run(`INSERT INTO found SELECT DISTINCT client_id, lower(event_id), filename
        FROM read_parquet(${quoteList(paths)}, hive_partitioning = false, filename = true)
        WHERE ${isOfClient(client)} AND lower(event_id) IN (SELECT id FROM sought WHERE ${isOfClient(client)})`);
    });
  }
}
