import {
  Client,
  Connection,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from "@temporalio/client";

import {
  DEAD_LETTERS_TASK_QUEUE,
  PROGRESS_QUERY,
  REPLAY_SIGNALS,
  REPLAY_WORKFLOW,
  type ReplayInput,
  type ReplayProgress,
  replayWorkflowId,
} from "../core/contracts/dead-letter-replay.ts";
import { AppError } from "../core/errors.ts";
import type { ReplayClient } from "../crm/replay-client.ts";
import type { Config } from "../platform/config.ts";
import type { Logger } from "../platform/logger.ts";

const CALL_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 2_000;

/** Connects when it is first used, so the API starts and serves without Temporal. */
export function connectReplayClient(config: Config, log: Logger): ReplayClient & { close(): Promise<void> } {
  const connection = Connection.lazy({ address: config.LIVORA_TEMPORAL_ADDRESS });
  const { workflow } = new Client({ connection, namespace: config.LIVORA_TEMPORAL_NAMESPACE });
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, work);
    } catch (cause) {
      if (cause instanceof WorkflowNotFoundError) throw cause;
      throw new AppError("unavailable", "Temporal does not answer: ask again.", { cause, retryAfterMs: 2_000 });
    }
  };
  return {
    async start(input) {
      const args: [ReplayInput] = [input];
      await call(() =>
        workflow.start(REPLAY_WORKFLOW, {
          workflowId: replayWorkflowId(input.client_id, input.replay_id),
          taskQueue: DEAD_LETTERS_TASK_QUEUE,
          args,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          // One that was terminated by hand goes on where its letters stand.
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        }),
      );
    },
    signal: (clientId, replayId, signal) =>
      call(() => workflow.getHandle(replayWorkflowId(clientId, replayId)).signal(REPLAY_SIGNALS[signal])).then(
        () => true,
        (error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return false;
          throw error;
        },
      ),
    async progress(clientId, replayId) {
      try {
        const handle = workflow.getHandle(replayWorkflowId(clientId, replayId));
        return await connection.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
          handle.query<ReplayProgress>(PROGRESS_QUERY),
        );
      } catch (error) {
        log.debug({ replay_id: replayId, err: (error as Error).message }, "replay did not answer");
        return null;
      }
    },
    close: () => connection.close(),
  };
}
