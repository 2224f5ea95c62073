import type { RunStatus } from "../core/contracts/journey.ts";

/** What campaigns need of Temporal, and all of it: so that a verb needs no worker, and a test no server. */
export interface JourneyClient {
  /** Wakes the runs that a paused campaign holds. Asking twice is asking once. */
  resumeCampaign(input: { client_id: string; campaign_id: string }): Promise<void>;
  /** Null where the run has no workflow any more, or it does not answer in time. */
  whereIs(workflowId: string, timeoutMs: number): Promise<RunStatus | null>;
}
