import { randomUUID } from "node:crypto";
import { join, resolve } from "node:path";

import type { NativeConnection, Worker } from "@temporalio/worker";

import { createBackfillActivities } from "../activities/backfill.ts";
import { BACKFILL_TASK_QUEUE } from "../core/contracts/backfill.ts";
import { createFlowGate, type Handled } from "../platform/backfill/flow-gate.ts";
import { createShares } from "../platform/backfill/share-out.ts";
import type { Context } from "../platform/context.ts";
import { createAppendStep } from "../platform/intake/append.ts";
import type { EdgeCounter } from "../platform/intake/edge-counter.ts";
import type { StreamProducer } from "../platform/stream/types.ts";
import { readWatermark } from "../platform/watermark.ts";
import { createWarehouse } from "../platform/warehouse/duckdb.ts";
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
  const openWarehouse = () => {
    const tempFolder = join(resolve(config.LIVORA_LAKE), "_tmp", `spill-backfill-${randomUUID()}-${process.pid}`);
    return createWarehouse({ memoryLimit: MEMORY_LIMIT, threads: 1, tempFolder });
  };
  return createWorker(ctx, connection, {
    taskQueue: BACKFILL_TASK_QUEUE,
    workflows: "backfills.ts",
    activities: createBackfillActivities({
      ctx,
      append: createAppendStep(producer, counter),
      shares: createShares(config.LIVORA_BACKFILL_EVENTS_PER_SECOND),
      // Behind the enrichment all that comes in has to wait.
      gate: createFlowGate(() => readHandled(ctx)),
      openWarehouse,
    }),
    maxConcurrentActivityTaskExecutions: CONCURRENT_ACTIVITIES,
    // So long a run waits for the worker that had it in its memory; it may be dead.
    stickyQueueScheduleToStartTimeout: "2 s",
  });
}

/** By Redis' clock, lest a machine whose own is ahead should wait for ever. */
async function readHandled({ redis }: Context): Promise<Handled> {
  const [handledMs, [seconds, micros]] = await Promise.all([readWatermark(redis, "enrich"), redis.time()]);
  return { handledMs, nowMs: Number(seconds) * 1_000 + Number(micros) / 1_000 };
}
