import { ScheduleClient } from "@temporalio/client";
import type { NativeConnection, Worker } from "@temporalio/worker";

import { createAuditActivities } from "../activities/audit.ts";
import { AUDIT_SCHEDULE_ID, AUDIT_TASK_QUEUE, AUDIT_WORKFLOW, AUDIT_WORKFLOW_ID } from "../core/contracts/audit.ts";
import { MINUTE_MS } from "../core/time.ts";
import { createMessageLists } from "../delivery/message-lists.ts";
import type { Context } from "../platform/context.ts";
import { createLake } from "../platform/lake/lake.ts";
import { createUserStore } from "../platform/user-store.ts";
import { openWarehouse } from "../platform/warehouse/open-warehouse.ts";
import { createWorker } from "./create-worker.ts";
import { ensureSchedule, type RegularWorkflow } from "./ensure-schedule.ts";

const MEMORY_LIMIT = "512MB";
/** Longer than receipts and lake linger; a pipeline that is behind by more is for the audit to tell. */
const PATIENCE_MS = 45_000;

/** Four times an hour. */
const AUDIT: RegularWorkflow = {
  scheduleId: AUDIT_SCHEDULE_ID,
  workflowType: AUDIT_WORKFLOW,
  workflowId: AUDIT_WORKFLOW_ID,
  taskQueue: AUDIT_TASK_QUEUE,
  times: { everyMs: 15 * MINUTE_MS, offsetMs: 5 * MINUTE_MS },
  catchupMs: 15 * MINUTE_MS,
};

/** The task queue "audit", and the Schedule that fills it. The caller runs and shuts down the worker. */
export async function createAuditWorker(ctx: Context, connection: NativeConnection): Promise<Worker> {
  const { config } = ctx;
  const schedules = new ScheduleClient({ connection, namespace: config.LIVORA_TEMPORAL_NAMESPACE });
  await ensureSchedule(schedules, AUDIT);
  const lake = createLake(config.LIVORA_LAKE);
  return createWorker(ctx, connection, {
    taskQueue: AUDIT_TASK_QUEUE,
    workflows: "audit.ts",
    activities: createAuditActivities({
      ctx,
      lake,
      store: createUserStore(ctx),
      messageLists: createMessageLists(config),
      lostTime: { since: config.LIVORA_LOST_SINCE, until: config.LIVORA_LOST_UNTIL },
      patienceMs: PATIENCE_MS,
      openWarehouse: () => openWarehouse(lake, { name: "audit", memoryLimit: MEMORY_LIMIT }),
    }),
    maxConcurrentActivityTaskExecutions: 1,
  });
}
