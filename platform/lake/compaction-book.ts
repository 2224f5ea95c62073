import { and, eq, inArray, sql } from "drizzle-orm";

import type { CompactionPage, CompactionTarget } from "../../core/contracts/lake.ts";
import { parsePartition } from "../../core/lake.ts";
import { writeDrops } from "../dead-letters.ts";
import type { Database } from "../postgres/database.ts";
import { lakeFiles } from "../postgres/schema.ts";
import { SMALL_BYTES } from "./compaction-inputs.ts";
import type { Journal } from "./journal.ts";
import type { Duplicate } from "./merge-files.ts";

/** Closed partitions with two or more small files, by the lake's book, after `after`. */
export async function planCompaction(
  db: Database,
  options: { after?: CompactionTarget; limit: number; closedBeforeMs: number },
): Promise<CompactionPage> {
  const { after, limit, closedBeforeMs } = options;
  const beyond =
    after && sql`(${lakeFiles.client_id}, ${lakeFiles.partition}) > (${after.client_id}, ${after.partition})`;
  const found = await db
    .select({ client_id: lakeFiles.client_id, partition: lakeFiles.partition })
    .from(lakeFiles)
    .where(and(sql`${lakeFiles.compacted_into} is null`, sql`${lakeFiles.bytes} < ${SMALL_BYTES}`, beyond))
    .groupBy(lakeFiles.client_id, lakeFiles.partition)
    .having(sql`count(*) >= 2`)
    .orderBy(lakeFiles.client_id, lakeFiles.partition)
    .limit(limit);
  const targets = found.filter(({ partition }) => (parsePartition(partition)?.endsAtMs ?? Infinity) <= closedBeforeMs);
  return { targets, next: found.length === limit ? (found.at(-1) ?? null) : null };
}

/** Kept before the rows themselves are gone: each with the place under which it was acknowledged. */
export async function dropDuplicates(db: Database, clientId: string, duplicates: readonly Duplicate[]): Promise<void> {
  const drops = duplicates.map((duplicate) => ({
    clientId,
    eventId: duplicate.event_id,
    stage: "lake",
    reason: "duplicate_in_partition",
    source: { shard: duplicate.source_shard, sequence: duplicate.source_sequence, index: duplicate.source_index },
    receivedAt: duplicate.received_at,
  }));
  await writeDrops(db, drops);
}

export async function bookMerged(
  db: Database,
  { client_id, partition }: CompactionTarget,
  { target, inputs }: Journal,
  size: { rows: number; bytes: number },
): Promise<void> {
  const path = `${partition}/${target}`;
  const paths = inputs.map((name) => `${partition}/${name}`);
  await db.transaction(async (tx) => {
    const file = { path, client_id, partition, ...size };
    await tx
      .insert(lakeFiles)
      .values(file)
      .onConflictDoUpdate({ target: lakeFiles.path, set: { ...size, compacted_into: null } });
    const mine = and(eq(lakeFiles.client_id, client_id), inArray(lakeFiles.path, paths));
    await tx.update(lakeFiles).set({ compacted_into: path }).where(mine);
  });
}
