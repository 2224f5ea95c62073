import { OK, type Step } from "./step.ts";

/**
 * The same `event_id` counts once. Seen under another position it is a duplicate; under its own it is this very event,
 * tried again after a failure.
 */
export function createDedupeStep(): Step {
  return {
    name: "dedupe",
    prepare: (drafts, { seen }) => seen.load(drafts),
    run: (draft, { seen }) => (seen.isDuplicate(draft) ? { outcome: "drop", reason: "duplicate" } : OK),
  };
}

/** The end of the chain: only what has come through all steps has been seen, so a dead letter can be replayed. */
export function createRememberStep(): Step {
  return {
    name: "remember",
    run(draft, { seen }) {
      seen.remember(draft);
      return OK;
    },
  };
}
