import { ScheduleAlreadyRunning, ScheduleClient, ScheduleOverlapPolicy } from "@temporalio/client";
import { type NativeConnection, Worker } from "@temporalio/worker";

import { createDeliveryActivities } from "../activities/delivery.ts";
import {
  DELIVERY_SWEEP_SCHEDULE_ID,
  DELIVERY_SWEEP_WORKFLOW,
  DELIVERY_SWEEP_WORKFLOW_ID,
  DELIVERY_TASK_QUEUE,
} from "../core/contracts/delivery.ts";
import type { DeliveryContext } from "../delivery/index.ts";
import { bundleWorkflows } from "./bundle.ts";

/** The task queue "deliveries", and the Schedule that fills it. The caller runs and shuts down the worker. */
export async function createDeliveryWorker(ctx: DeliveryContext, connection: NativeConnection): Promise<Worker> {
  const namespace = ctx.config.LIVORA_TEMPORAL_NAMESPACE;
  await ensureSchedule(new ScheduleClient({ connection, namespace }));
  return Worker.create({
    connection,
    namespace,
    taskQueue: DELIVERY_TASK_QUEUE,
    workflowBundle: await bundleWorkflows("delivery/sweep.ts"),
    activities: createDeliveryActivities(ctx),
    maxConcurrentActivityTaskExecutions: 1,
  });
}

/** Every two minutes. Once it is there it is the operator's: pauses and changes stay. */
async function ensureSchedule(schedules: ScheduleClient): Promise<void> {
  try {
    await schedules.create({
      scheduleId: DELIVERY_SWEEP_SCHEDULE_ID,
      spec: { intervals: [{ every: "2 minutes" }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "1 minute" },
      action: {
        type: "startWorkflow",
        workflowType: DELIVERY_SWEEP_WORKFLOW,
        workflowId: DELIVERY_SWEEP_WORKFLOW_ID,
        taskQueue: DELIVERY_TASK_QUEUE,
        args: [],
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
