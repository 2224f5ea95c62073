import type { NativeConnection, Worker } from "@temporalio/worker";

import { createAdHocActivities } from "../activities/ad-hoc.ts";
import { AD_HOC_TASK_QUEUE } from "../core/contracts/ad-hoc.ts";
import type { Context } from "../platform/context.ts";
import { createLake } from "../platform/lake/lake.ts";
import { openWarehouse } from "../platform/warehouse/open-warehouse.ts";
import { createWorker } from "./create-worker.ts";

/** One that reads the lake takes a core while it lasts. */
const CONCURRENT_QUESTIONS = 2;
const MEMORY_LIMIT = "512MB";

/** The task queue "ad-hoc". The caller runs and shuts down the worker. */
export async function createAdHocWorker(ctx: Context, connection: NativeConnection): Promise<Worker> {
  const lake = createLake(ctx.config.LIVORA_LAKE);
  return createWorker(ctx, connection, {
    taskQueue: AD_HOC_TASK_QUEUE,
    workflows: "ad-hoc.ts",
    activities: createAdHocActivities({
      ctx,
      lake,
      openWarehouse: () => openWarehouse(lake, { name: "ad-hoc", memoryLimit: MEMORY_LIMIT }),
    }),
    maxConcurrentActivityTaskExecutions: CONCURRENT_QUESTIONS,
  });
}
