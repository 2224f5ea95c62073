import { and, eq, sql } from "drizzle-orm";

import type { EtlScope } from "../../core/contracts/etl.ts";
import { parsePartition } from "../../core/lake.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Database } from "../../platform/postgres/database.ts";
import { etlClients, etlPartitions } from "../../platform/postgres/schema.ts";

export type PartitionRow = typeof etlPartitions.$inferSelect;
export type ClientRow = typeof etlClients.$inferSelect;
type Writer = Pick<Database, "execute" | "insert" | "update">;

/** An hour of which the raw files are others than its ids were read of. */
export interface NewHour {
  partition: string;
  digest: string;
  files: number;
  rows: number;
}

/** SQL: which files the lake has of an hour; an aggregate over rows of its book. */
export const RAW_DIGEST = sql`encode(sha256(convert_to(string_agg(path, E'\n' order by path collate "C"), 'UTF8')), 'hex')`;

/** Hours with files that their ids were not read of, after `after`, in order; all of them where `rebuild` says so. */
export async function listNewHours(
  db: Database,
  scope: EtlScope,
  { after = "", limit }: { after?: string; limit: number },
): Promise<NewHour[]> {
  const rows = await db.execute<{ partition: string; digest: string; files: number; rows: number }>(sql`
    select raw.partition, raw.digest, raw.files, raw.rows from (
      select partition, ${RAW_DIGEST} as digest, count(*)::int as files, sum(rows)::float8 as rows
      from lake_files
      where client_id = ${scope.client_id} and path not like '%/compacted\\_%'
        and partition collate "C" > ${after} and ${within(scope)}
      group by partition
    ) raw
    left join etl_partitions book on book.client_id = ${scope.client_id} and book.partition = raw.partition
    where book.ids_digest is distinct from raw.digest or ${scope.rebuild ?? false}
    order by raw.partition collate "C" limit ${limit}`);
  return [...rows];
}

/** Hours of which the curated file is not what it ought to be, after `after`, in order. */
export async function listStaleHours(
  db: Database,
  scope: EtlScope,
  { after = "", limit }: { after?: string; limit: number },
): Promise<PartitionRow[]> {
  const isStale = sql`(ids_digest <> built_digest or ${scope.rebuild ?? false})`;
  return db
    .select()
    .from(etlPartitions)
    .where(
      and(
        eq(etlPartitions.client_id, scope.client_id),
        sql`ids_digest <> '' and partition collate "C" > ${after}`,
        // What another hour has taken from it, it must give up whatever the run is about: else an event would be there twice.
        sql`(is_disturbed or (${isStale} and ${within(scope)}))`,
      ),
    )
    .orderBy(sql`partition collate "C"`)
    .limit(limit);
}

export async function listPartitions(db: Database, clientId: string): Promise<PartitionRow[]> {
  return db
    .select()
    .from(etlPartitions)
    .where(eq(etlPartitions.client_id, clientId))
    .orderBy(sql`partition collate "C"`);
}

export async function changePartition(
  db: Writer,
  clientId: string,
  partition: string,
  change: Partial<PartitionRow>,
): Promise<void> {
  await db
    .insert(etlPartitions)
    .values({ client_id: clientId, partition, ...change })
    .onConflictDoUpdate({ target: [etlPartitions.client_id, etlPartitions.partition], set: change });
}

export async function findPartition(
  db: Database,
  clientId: string,
  partition: string,
): Promise<PartitionRow | undefined> {
  const where = and(eq(etlPartitions.client_id, clientId), eq(etlPartitions.partition, partition));
  return db.query.etlPartitions.findFirst({ where });
}

export async function findClient(db: Database, clientId: string): Promise<ClientRow> {
  const found = await db.query.etlClients.findFirst({ where: eq(etlClients.client_id, clientId) });
  return found ?? { client_id: clientId, repeats_version: 0, links_version: 0, as_of: null };
}

export async function changeClient(db: Writer, clientId: string, change: Partial<ClientRow>): Promise<void> {
  await db
    .insert(etlClients)
    .values({ client_id: clientId, ...change })
    .onConflictDoUpdate({ target: etlClients.client_id, set: change });
}

/** SQL: partitions that overlap the scope. Their paths end in the hour, so they compare as texts. */
function within({ start, end }: EtlScope) {
  const hour = sql`substring(partition from 'dt=.*$') collate "C"`;
  const from = start === undefined ? sql`true` : sql`${hour} >= ${hourText(Date.parse(start))}`;
  const to = end === undefined ? sql`true` : sql`${hour} < ${hourText(Date.parse(end) + HOUR_MS - 1)}`;
  return sql`(${from} and ${to})`;
}

function hourText(ms: number): string {
  const [dt = "", time = ""] = new Date(ms).toISOString().split("T");
  return `dt=${dt}/hour=${time.slice(0, 2)}`;
}

/** The first millisecond of a partition; NaN where it is none. */
export function startOf(partition: string): number {
  return (parsePartition(partition)?.endsAtMs ?? Number.NaN) - HOUR_MS;
}
