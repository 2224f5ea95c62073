import { Client, WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowNotFoundError } from "@temporalio/client";

import { AppError } from "../core/errors.ts";
import type { Config } from "../platform/config.ts";
import type { Logger } from "../platform/logger.ts";
import { connectTemporal } from "../platform/temporal-connection.ts";

const CALL_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 2_000;

/** Workflows that the API starts and steers. All throw `unavailable` where Temporal is away. */
export interface WorkflowClient {
  /** Asking twice is asking once; one that was terminated by hand begins again. */
  start(workflow: string, options: { workflowId: string; taskQueue: string; input: object }): Promise<void>;
  /** False where it has ended. */
  signal(workflowId: string, signal: string): Promise<boolean>;
  /** Null where nobody answers; never throws. */
  query<T>(workflowId: string, query: string): Promise<T | null>;
  close(): Promise<void>;
}

/** Connects when it is first used, so the API starts and serves without Temporal. */
export function connectWorkflowClient(config: Config, log: Logger): WorkflowClient {
  const connection = connectTemporal(config);
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
    async start(name, { workflowId, taskQueue, input }) {
      await call(() =>
        workflow.start(name, {
          workflowId,
          taskQueue,
          args: [input],
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        }),
      );
    },
    signal: (workflowId, signal) =>
      call(() => workflow.getHandle(workflowId).signal(signal)).then(
        () => true,
        (error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return false;
          throw error;
        },
      ),
    async query<T>(workflowId: string, query: string) {
      try {
        const handle = workflow.getHandle(workflowId);
        return await connection.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query<T>(query));
      } catch (error) {
        log.debug({ workflow_id: workflowId, err: (error as Error).message }, "workflow did not answer");
        return null;
      }
    },
    close: () => connection.close(),
  };
}
