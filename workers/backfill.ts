import type { NativeConnection, Worker } from "@temporalio/worker";

import { createBackfillActivities } from "../activities/backfill.ts";
import { BACKFILL_TASK_QUEUE } from "../core/contracts/backfill.ts";
import { createFlowGate, type Handled } from "../platform/backfill/flow-gate.ts";
import { createShares } from "../platform/backfill/share-out.ts";
import type { Context } from "../platform/context.ts";
import { createAppendStep } from "../platform/intake/append.ts";
import type { EdgeCounter } from "../platform/intake/edge-counter.ts";
import { createLake } from "../platform/lake/lake.ts";
import { readRedisTimeMs } from "../platform/redis-time.ts";
import type { StreamProducer } from "../platform/stream/types.ts";
import { readWatermark } from "../platform/watermark.ts";
import { openWarehouse } from "../platform/warehouse/open-warehouse.ts";
import { createWorker } from "./create-worker.ts";

/** Those that are under way at once; others have their turn when one of these has had some seconds. */
const CONCURRENT_ACTIVITIES = 4;
const MEMORY_LIMIT = "256MB";

export interface BackfillWorkerParts {
  ctx: Context;
  /** Of the stream "events". */
  producer: StreamProducer;
  /** What the stream has acknowledged is counted as an edge counts it: the audit knows no difference. */
  counter: EdgeCounter;
}

/** The task queue "backfill". The caller runs and shuts down the worker. */
export async function createBackfillWorker(
  { ctx, producer, counter }: BackfillWorkerParts,
  connection: NativeConnection,
): Promise<Worker> {
  const { config } = ctx;
  const lake = createLake(config.LIVORA_LAKE);
  return createWorker(ctx, connection, {
    taskQueue: BACKFILL_TASK_QUEUE,
    workflows: "backfills.ts",
    activities: createBackfillActivities({
      ctx,
      append: createAppendStep(producer, counter),
      shares: createShares(config.LIVORA_BACKFILL_EVENTS_PER_SECOND),
      // Behind the enrichment all that comes in has to wait.
      gate: createFlowGate(() => readHandled(ctx)),
      openWarehouse: () => openWarehouse(lake, { name: "backfill", memoryLimit: MEMORY_LIMIT }),
    }),
    maxConcurrentActivityTaskExecutions: CONCURRENT_ACTIVITIES,
    // So long a run waits for the worker that had it in its memory; it may be dead.
    stickyQueueScheduleToStartTimeout: "2 s",
  });
}

/** By Redis' clock, lest a machine whose own is ahead should wait for ever. */
async function readHandled({ redis }: Context): Promise<Handled> {
  const [handledMs, nowMs] = await Promise.all([readWatermark(redis, "enrich"), readRedisTimeMs(redis)]);
  return { handledMs, nowMs };
}
