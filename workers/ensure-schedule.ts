import { ScheduleAlreadyRunning, ScheduleClient, ScheduleOverlapPolicy } from "@temporalio/client";
import type { NativeConnection } from "@temporalio/worker";

export interface RegularWorkflow {
  scheduleId: string;
  workflowType: string;
  /** The same each time: one at a time. */
  workflowId: string;
  taskQueue: string;
  everyMs: number;
  /** Of the intervals since 1970. */
  offsetMs: number;
}

/** Has a workflow run at its times. Once the Schedule is there it is the operator's: pauses and changes stay. */
export async function ensureSchedule(
  connection: NativeConnection,
  namespace: string,
  { scheduleId, everyMs, offsetMs, ...workflow }: RegularWorkflow,
): Promise<void> {
  const schedules = new ScheduleClient({ connection, namespace });
  try {
    await schedules.create({
      scheduleId,
      spec: { intervals: [{ every: everyMs, offset: offsetMs }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: everyMs },
      action: { type: "startWorkflow", ...workflow, args: [{}] },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
