import { Client, WorkflowIdConflictPolicy } from "@temporalio/client";

import { RESUME_CAMPAIGN_WORKFLOW, type ResumeCampaignInput, resumeCampaignId } from "../core/contracts/campaign.ts";
import { JOURNEY_TASK_QUEUE, type RunStatus, WHERE_QUERY } from "../core/contracts/journey.ts";
import { AppError } from "../core/errors.ts";
import type { JourneyClient } from "../crm/journey-client.ts";
import type { Config } from "../platform/config.ts";
import type { Logger } from "../platform/logger.ts";
import { connectTemporal } from "../platform/temporal-connection.ts";

const START_TIMEOUT_MS = 5_000;

/** Temporal as the CRM needs it. Connects when it is first used, so the API starts and serves without it. */
export function connectJourneyClient(config: Config, log: Logger): JourneyClient & { close(): Promise<void> } {
  const connection = connectTemporal(config);
  const client = new Client({ connection, namespace: config.LIVORA_TEMPORAL_NAMESPACE });
  const within = <T>(timeoutMs: number, work: () => Promise<T>) =>
    connection.withDeadline(Date.now() + timeoutMs, work);
  return {
    async resumeCampaign(input) {
      const args: [ResumeCampaignInput] = [input];
      try {
        await within(START_TIMEOUT_MS, () =>
          client.workflow.start(RESUME_CAMPAIGN_WORKFLOW, {
            workflowId: resumeCampaignId(input.client_id, input.campaign_id),
            taskQueue: JOURNEY_TASK_QUEUE,
            args,
            // One that is under way may be past runs that were held since: begin again, waking twice does no harm.
            workflowIdConflictPolicy: WorkflowIdConflictPolicy.TERMINATE_EXISTING,
          }),
        );
      } catch (cause) {
        const message = "The campaign is active, but those who wait could not be woken yet: ask again.";
        throw new AppError("unavailable", message, { cause, retryAfterMs: 2_000 });
      }
    },
    async whereIs(workflowId, timeoutMs) {
      try {
        return await within(timeoutMs, () => client.workflow.getHandle(workflowId).query<RunStatus>(WHERE_QUERY));
      } catch (error) {
        log.debug({ workflow_id: workflowId, err: (error as Error).message }, "run did not answer");
        return null;
      }
    },
    close: () => connection.close(),
  };
}
