import {
  ETL_PROGRESS_QUERY,
  ETL_SIGNALS,
  ETL_TASK_QUEUE,
  ETL_WORKFLOW,
  type EtlInput,
  type EtlRunProgress,
} from "../core/contracts/etl.ts";
import type { EtlClient } from "../crm/etl-run.ts";
import type { WorkflowClient } from "./workflow-client.ts";

export function createEtlClient(workflows: WorkflowClient): EtlClient {
  return {
    async start({ id, client_id, workflow_id, start_at, end_at, rebuild }) {
      const input: EtlInput = {
        client_id,
        run_id: id,
        ...(start_at && { start: new Date(start_at).toISOString() }),
        ...(end_at && { end: new Date(end_at).toISOString() }),
        ...(rebuild && { rebuild }),
      };
      await workflows.start(ETL_WORKFLOW, { workflowId: workflow_id, taskQueue: ETL_TASK_QUEUE, input });
    },
    signal: (workflowId, signal) => workflows.signal(workflowId, ETL_SIGNALS[signal]),
    progress: (workflowId) => workflows.query<EtlRunProgress>(workflowId, ETL_PROGRESS_QUERY),
  };
}
