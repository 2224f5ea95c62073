import { type NativeConnection, Worker } from "@temporalio/worker";

import { createAdHocActivities } from "../activities/ad-hoc.ts";
import { AD_HOC_TASK_QUEUE } from "../core/contracts/ad-hoc.ts";
import type { Context } from "../platform/context.ts";
import { bundleWorkflows } from "./bundle.ts";
import { errorInterceptor } from "./error-interceptor.ts";

/** One that reads the lake takes a core while it lasts. */
const CONCURRENT_QUESTIONS = 2;

/** The task queue "ad-hoc". The caller runs and shuts down the worker. */
export async function createAdHocWorker(
  ctx: Context,
  connection: NativeConnection,
  taskQueue = AD_HOC_TASK_QUEUE,
): Promise<Worker> {
  return Worker.create({
    connection,
    namespace: ctx.config.LIVORA_TEMPORAL_NAMESPACE,
    taskQueue,
    workflowBundle: await bundleWorkflows("ad-hoc.ts"),
    activities: createAdHocActivities(ctx),
    interceptors: { activity: [() => ({ inbound: errorInterceptor })] },
    maxConcurrentActivityTaskExecutions: CONCURRENT_QUESTIONS,
    shutdownGraceTime: "10 s",
  });
}
