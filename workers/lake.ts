import { ScheduleClient } from "@temporalio/client";
import type { NativeConnection, Worker } from "@temporalio/worker";

import { createLakeActivities } from "../activities/lake.ts";
import {
  COMPACTION_SCHEDULE_ID,
  COMPACTION_WORKFLOW,
  COMPACTION_WORKFLOW_ID,
  LAKE_CONSUMER,
  LAKE_TASK_QUEUE,
} from "../core/contracts/lake.ts";
import { HOUR_MS, MINUTE_MS } from "../core/time.ts";
import type { Context } from "../platform/context.ts";
import { createLake } from "../platform/lake/lake.ts";
import { openWarehouse } from "../platform/warehouse/open-warehouse.ts";
import { createWorker } from "./create-worker.ts";
import { ensureSchedule, type RegularWorkflow } from "./ensure-schedule.ts";
import { createProgressReader } from "./progress-reader.ts";

/** Merging is bound by disk and processor: one at a time leaves the laptop, and the other queues, some of both. */
const CONCURRENT_ACTIVITIES = 1;
const MEMORY_LIMIT = "512MB";

/** A quarter past every hour. */
const COMPACTION: RegularWorkflow = {
  scheduleId: COMPACTION_SCHEDULE_ID,
  workflowType: COMPACTION_WORKFLOW,
  workflowId: COMPACTION_WORKFLOW_ID,
  taskQueue: LAKE_TASK_QUEUE,
  times: { everyMs: HOUR_MS, offsetMs: 15 * MINUTE_MS },
  catchupMs: HOUR_MS,
};

/** The task queue "lake", and the Schedule that fills it. The caller runs and shuts down the worker. */
export async function createLakeWorker(ctx: Context, connection: NativeConnection): Promise<Worker> {
  const { config } = ctx;
  const schedules = new ScheduleClient({ connection, namespace: config.LIVORA_TEMPORAL_NAMESPACE });
  await ensureSchedule(schedules, COMPACTION);
  const lake = createLake(config.LIVORA_LAKE);
  const readProgress = createProgressReader(ctx);
  return createWorker(ctx, connection, {
    taskQueue: LAKE_TASK_QUEUE,
    workflows: "lake.ts",
    activities: createLakeActivities({
      ctx,
      lake,
      openWarehouse: () => openWarehouse(lake, { name: "compaction", memoryLimit: MEMORY_LIMIT }),
      readProgress: (shards) => readProgress({ stream: "enriched", consumer: LAKE_CONSUMER }, shards),
    }),
    maxConcurrentActivityTaskExecutions: CONCURRENT_ACTIVITIES,
  });
}
