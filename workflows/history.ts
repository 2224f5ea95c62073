import { workflowInfo } from "@temporalio/workflow";

/** Far below Temporal's limit of 51,200 events, so that a replay is always quick. */
const MAX_HISTORY_EVENTS = 1000;

/** Whether this is the moment to go on in a new execution. */
export function isHistoryLong(): boolean {
  const info = workflowInfo();
  return info.continueAsNewSuggested || info.historyLength > MAX_HISTORY_EVENTS;
}
