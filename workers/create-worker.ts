import { type NativeConnection, Worker, type WorkerOptions } from "@temporalio/worker";

import type { Context } from "../platform/context.ts";
import { bundleWorkflows } from "./bundle.ts";
import { errorInterceptor } from "./error-interceptor.ts";

type Limits = Pick<
  WorkerOptions,
  "maxConcurrentActivityTaskExecutions" | "maxCachedWorkflows" | "stickyQueueScheduleToStartTimeout"
>;

interface QueueWorker extends Limits {
  taskQueue: string;
  /** The file of `workflows/` that exports those of the queue. */
  workflows: string;
  /** What `core/contracts/` calls the queue's activities. */
  activities: object;
}

/** A worker as all of ours are; the caller runs and shuts it down. What is under way then has ten seconds to come to its next step. */
export async function createWorker(
  { config }: Pick<Context, "config">,
  connection: NativeConnection,
  { taskQueue, workflows, activities, ...limits }: QueueWorker,
): Promise<Worker> {
  return Worker.create({
    connection,
    namespace: config.LIVORA_TEMPORAL_NAMESPACE,
    taskQueue,
    workflowBundle: await bundleWorkflows(workflows),
    activities,
    interceptors: { activity: [() => ({ inbound: errorInterceptor })] },
    ...limits,
    shutdownGraceTime: "10 s",
  });
}
