import { Context as ActivityContext } from "@temporalio/activity";
import { sql } from "drizzle-orm";

import {
  type CompactionCounts,
  type CompactionTarget,
  type LakeActivities,
  NO_COUNTS,
} from "../core/contracts/lake.ts";
import { isAppError, isTransient } from "../core/errors.ts";
import { sumCounts } from "../core/sum-counts.ts";
import { DAY_MS, MINUTE_MS } from "../core/time.ts";
import type { Context } from "../platform/context.ts";
import { type CompactionDeps, compactPartition } from "../platform/lake/compact.ts";
import type { Warehouse } from "../platform/warehouse/duckdb.ts";
import { planCompaction } from "../platform/lake/compaction-book.ts";

const HEARTBEAT_MS = 5_000;

/** Late events of an hour mostly come soon after it. */
const CLOSED_AFTER_MS = 10 * MINUTE_MS;
/** Far longer than a lease: a process that lost its shard has noticed by then. */
const SETTLED_AFTER_MS = 5 * MINUTE_MS;
const TEMP_AFTER_MS = DAY_MS;

export type LakeActivityDeps = Pick<CompactionDeps, "lake" | "readProgress"> & {
  ctx: Pick<Context, "db" | "log">;
  /** One for each page of partitions: between the hours its memory is free. */
  openWarehouse(): Warehouse;
  /** How long ago a partition must have ended, and a file been written. */
  closedAfterMs?: number;
  settledAfterMs?: number;
};

interface Progress {
  done: number;
  counts: CompactionCounts;
}

export function createLakeActivities(deps: LakeActivityDeps): LakeActivities {
  const { ctx, lake, closedAfterMs = CLOSED_AFTER_MS } = deps;
  return {
    planCompaction: (input) => planCompaction(ctx.db, { ...input, closedBeforeMs: Date.now() - closedAfterMs }),
    sweepLake: () => lake.sweepTemp(TEMP_AFTER_MS),

    async compactPartitions({ targets }) {
      const activity = ActivityContext.current();
      const progress: Progress = { ...(activity.info.heartbeatDetails ?? { done: 0, counts: NO_COUNTS }) };
      const warehouse = deps.openWarehouse();
      const timer = setInterval(() => activity.heartbeat(progress), HEARTBEAT_MS);
      try {
        for (const target of targets.slice(progress.done)) {
          activity.cancellationSignal.throwIfAborted();
          progress.counts = sumCounts([progress.counts, await compactOne({ ...deps, warehouse }, target)]);
          progress.done++;
          activity.heartbeat(progress);
        }
        return progress.counts;
      } finally {
        clearInterval(timer);
        await warehouse.close();
      }
    },
  };
}

/** Throws only what trying again may mend: one bad partition must not keep the others waiting. */
async function compactOne(
  deps: LakeActivityDeps & { warehouse: Warehouse },
  target: CompactionTarget,
): Promise<CompactionCounts> {
  const { settledAfterMs = SETTLED_AFTER_MS } = deps;
  const signal = ActivityContext.current().cancellationSignal;
  const onStep = () => signal.throwIfAborted();
  try {
    return await compactPartition({ ...deps, writtenBeforeMs: Date.now() - settledAfterMs, onStep }, target);
  } catch (error) {
    signal.throwIfAborted();
    if (isTransient(error)) throw error;
    if (isAppError(error, "conflict")) return NO_COUNTS;
    // Was it the partition, or is the database away?
    await deps.ctx.db.execute(sql`select 1`);
    deps.ctx.log.error({ err: error, partition: target.partition }, "partition cannot be compacted");
    return { ...NO_COUNTS, partitions: 1, failed: 1 };
  }
}
