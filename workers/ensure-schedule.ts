import {
  ScheduleAlreadyRunning,
  type ScheduleClient,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
} from "@temporalio/client";

import { MINUTE_MS } from "../core/time.ts";

/** Milliseconds, of the intervals since 1970; or a time of day in an IANA zone, by the clocks there. */
export type Times =
  | { everyMs: number; offsetMs: number }
  | { dailyAt: { hour: number; minute: number }; timeZone: string };

export interface RegularWorkflow {
  scheduleId: string;
  workflowType: string;
  /** The same each time: one at a time. */
  workflowId: string;
  taskQueue: string;
  times: Times;
  input?: object;
  /** A run that Temporal's own downtime has made late begins no later than this. */
  catchupMs: number;
}

/** Has a workflow run at its times. Once the Schedule is there it is the operator's: pauses and changes stay. */
export async function ensureSchedule(
  schedules: ScheduleClient,
  { scheduleId, times, catchupMs, input = {}, ...workflow }: RegularWorkflow,
): Promise<void> {
  try {
    await schedules.create({
      scheduleId,
      spec: specOf(times),
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: Math.max(catchupMs, MINUTE_MS) },
      action: { type: "startWorkflow", ...workflow, args: [input] },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}

function specOf(times: Times): ScheduleSpec {
  return "everyMs" in times
    ? { intervals: [{ every: times.everyMs, offset: times.offsetMs }] }
    : { calendars: [times.dailyAt], timezone: times.timeZone };
}
