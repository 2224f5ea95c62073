import { OK, type Step } from "./step.ts";

/** UTC, milliseconds, and never after the event was received: clocks of devices run ahead. */
export function createNormalizeTimestampStep(): Step {
  return {
    name: "normalize-timestamp",
    run(draft) {
      if (!Number.isFinite(draft.sentAtMs)) return { outcome: "dead_letter", reason: "its time cannot be read" };
      draft.at = new Date(Math.min(draft.sentAtMs, draft.receivedAtMs)).toISOString();
      return OK;
    },
  };
}
