import { ScheduleAlreadyRunning, type ScheduleClient, ScheduleOverlapPolicy } from "@temporalio/client";

export interface RegularWorkflow {
  scheduleId: string;
  workflowType: string;
  /** The same each time: one at a time. */
  workflowId: string;
  taskQueue: string;
  everyMs: number;
  /** Of the intervals since 1970. */
  offsetMs: number;
  input?: object;
  /** How late a run may begin that was missed while Temporal was down: its interval, where nothing else is said. */
  catchupMs?: number;
}

/** Has a workflow run at its times. Once the Schedule is there it is the operator's: pauses and changes stay. */
export async function ensureSchedule(
  schedules: ScheduleClient,
  { scheduleId, everyMs, offsetMs, catchupMs = everyMs, input = {}, ...workflow }: RegularWorkflow,
): Promise<void> {
  try {
    await schedules.create({
      scheduleId,
      spec: { intervals: [{ every: everyMs, offset: offsetMs }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchupMs },
      action: { type: "startWorkflow", ...workflow, args: [input] },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
