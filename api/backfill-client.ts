import {
  BACKFILL_SIGNALS,
  BACKFILL_TASK_QUEUE,
  BACKFILL_WORKFLOW,
  type BackfillProgress,
  backfillWorkflowId,
  PROGRESS_QUERY,
} from "../core/contracts/backfill.ts";
import type { BackfillClient } from "../crm/backfill-client.ts";
import type { WorkflowClient } from "./workflow-client.ts";

export function createBackfillClient(workflows: WorkflowClient): BackfillClient {
  return {
    start: (input) =>
      workflows.start(BACKFILL_WORKFLOW, {
        workflowId: backfillWorkflowId(input.client_id, input.backfill_id),
        taskQueue: BACKFILL_TASK_QUEUE,
        input,
      }),
    signal: (clientId, backfillId, signal) =>
      workflows.signal(backfillWorkflowId(clientId, backfillId), BACKFILL_SIGNALS[signal]),
    progress: (clientId, backfillId) =>
      workflows.query<BackfillProgress>(backfillWorkflowId(clientId, backfillId), PROGRESS_QUERY),
  };
}
