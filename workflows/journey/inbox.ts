import { condition, defineSignal, setHandler } from "@temporalio/workflow";

import {
  type EventsSignal,
  type JourneyInput,
  type ResumeSignal,
  SIGNALS,
  type StopSignal,
} from "../../core/contracts/journey.ts";
import type { RunInput } from "../../core/journey/reducer.ts";

const eventsSignal = defineSignal<[EventsSignal]>(SIGNALS.events);
const stopSignal = defineSignal<[StopSignal]>(SIGNALS.stop);
const resumeSignal = defineSignal<[ResumeSignal]>(SIGNALS.resume);

/** What signals have brought and the reducer has not yet heard, oldest first. */
export interface Inbox {
  take(): RunInput | undefined;
  /** Until something comes, or until the time (epoch milliseconds). */
  wait(untilMs: number | null): Promise<void>;
}

/** Signals for another run that had the same workflow id are left alone. */
export function openInbox({ run_id }: JourneyInput): Inbox {
  const inputs: RunInput[] = [];
  setHandler(eventsSignal, (signal) => {
    if (signal.run_id !== run_id) return;
    for (const event of signal.events) inputs.push({ type: "event", event });
  });
  setHandler(stopSignal, (signal) => {
    if (signal.run_id === run_id) inputs.push({ type: "stop", reason: signal.reason });
  });
  setHandler(resumeSignal, (signal) => {
    if (signal.run_id === run_id) inputs.push({ type: "resume" });
  });
  const isFilled = () => inputs.length > 0;
  return {
    take: () => inputs.shift(),
    async wait(untilMs) {
      if (untilMs === null) await condition(isFilled);
      else await condition(isFilled, Math.max(1, untilMs - Date.now()));
    },
  };
}
