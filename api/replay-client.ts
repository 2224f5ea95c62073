import {
  DEAD_LETTERS_TASK_QUEUE,
  PROGRESS_QUERY,
  REPLAY_SIGNALS,
  REPLAY_WORKFLOW,
  type ReplayProgress,
  replayWorkflowId,
} from "../core/contracts/dead-letter-replay.ts";
import type { ReplayClient } from "../crm/replay-client.ts";
import type { WorkflowClient } from "./workflow-client.ts";

export function createReplayClient(workflows: WorkflowClient): ReplayClient {
  return {
    start: (input) =>
      workflows.start(REPLAY_WORKFLOW, {
        workflowId: replayWorkflowId(input.client_id, input.replay_id),
        taskQueue: DEAD_LETTERS_TASK_QUEUE,
        input,
      }),
    signal: (clientId, replayId, signal) =>
      workflows.signal(replayWorkflowId(clientId, replayId), REPLAY_SIGNALS[signal]),
    progress: (clientId, replayId) =>
      workflows.query<ReplayProgress>(replayWorkflowId(clientId, replayId), PROGRESS_QUERY),
  };
}
