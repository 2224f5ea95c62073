import { join } from "node:path";

import { ScheduleAlreadyRunning, ScheduleClient, ScheduleOverlapPolicy } from "@temporalio/client";
import { type NativeConnection, Worker } from "@temporalio/worker";

import { createAuditActivities } from "../activities/audit.ts";
import { AUDIT_SCHEDULE_ID, AUDIT_TASK_QUEUE, AUDIT_WORKFLOW, AUDIT_WORKFLOW_ID } from "../core/contracts/audit.ts";
import type { Context } from "../platform/context.ts";
import { createLake } from "../platform/lake/lake.ts";
import { createUserStore } from "../platform/user-store.ts";
import { createWarehouse } from "../platform/warehouse/duckdb.ts";
import { bundleWorkflows } from "./bundle.ts";
import { errorInterceptor } from "./error-interceptor.ts";

const MEMORY_LIMIT = "512MB";
/** Longer than receipts and lake linger; a pipeline that is behind by more is for the audit to tell. */
const PATIENCE_MS = 45_000;

/** The task queue "audit", and the Schedule that fills it. The caller runs and shuts down the worker. */
export async function createAuditWorker(ctx: Context, connection: NativeConnection): Promise<Worker> {
  const { config } = ctx;
  const namespace = config.LIVORA_TEMPORAL_NAMESPACE;
  await ensureSchedule(new ScheduleClient({ connection, namespace }));
  const lake = createLake(config.LIVORA_LAKE);
  const tempFolder = join(lake.root, "_tmp", `spill-audit-${process.pid}`);
  return Worker.create({
    connection,
    namespace,
    taskQueue: AUDIT_TASK_QUEUE,
    workflowBundle: await bundleWorkflows("audit.ts"),
    activities: createAuditActivities({
      ctx,
      lake,
      store: createUserStore(ctx),
      patienceMs: PATIENCE_MS,
      openWarehouse: () => createWarehouse({ memoryLimit: MEMORY_LIMIT, threads: 1, tempFolder }),
    }),
    interceptors: { activity: [() => ({ inbound: errorInterceptor })] },
    maxConcurrentActivityTaskExecutions: 1,
    shutdownGraceTime: "10 s",
  });
}

/** Four times an hour. Once it is there it is the operator's: pauses and changes stay. */
async function ensureSchedule(schedules: ScheduleClient): Promise<void> {
  try {
    await schedules.create({
      scheduleId: AUDIT_SCHEDULE_ID,
      spec: { intervals: [{ every: "15 minutes", offset: "5 minutes" }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "15 minutes" },
      action: {
        type: "startWorkflow",
        workflowType: AUDIT_WORKFLOW,
        workflowId: AUDIT_WORKFLOW_ID,
        taskQueue: AUDIT_TASK_QUEUE,
        args: [{}],
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
