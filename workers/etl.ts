import type { NativeConnection, Worker } from "@temporalio/worker";

import { createEtlActivities } from "../activities/etl.ts";
import { ETL_TASK_QUEUE } from "../core/contracts/etl.ts";
import type { Context } from "../platform/context.ts";
import { createLake } from "../platform/lake/lake.ts";
import { openWarehouse } from "../platform/warehouse/open-warehouse.ts";
import { createWorker } from "./create-worker.ts";

/** Bound by disk and processor: one at a time leaves the laptop, and the other queues, some of both. */
const CONCURRENT_ACTIVITIES = 1;
const MEMORY_LIMIT = "768MB";
const THREADS = 2;
const PAGE_SIZE = 24;

/** The task queue "etl". The caller runs and shuts down the worker. */
export async function createEtlWorker(ctx: Context, connection: NativeConnection): Promise<Worker> {
  const { config } = ctx;
  const lake = createLake(config.LIVORA_LAKE);
  return createWorker(ctx, connection, {
    taskQueue: ETL_TASK_QUEUE,
    workflows: "etl.ts",
    activities: createEtlActivities({
      ctx,
      lake,
      pageSize: PAGE_SIZE,
      openWarehouse: () => openWarehouse(lake, { name: "etl", memoryLimit: MEMORY_LIMIT, threads: THREADS }),
    }),
    maxConcurrentActivityTaskExecutions: CONCURRENT_ACTIVITIES,
  });
}
