/** Redis channel on which a change of campaigns is announced. Who listens also looks by itself, so a lost word costs a second. */
export const CAMPAIGNS_CHANNEL = "livora:campaigns";

/** Wakes the runs that a paused campaign held, page by page, for as long as it takes. */
export const RESUME_CAMPAIGN_WORKFLOW = "resumeCampaign";

export interface ResumeCampaignInput {
  client_id: string;
  campaign_id: string;
  /** Continues after this run; set by continue-as-new. */
  after?: string | null;
  resumed?: number;
}

export interface HeldRun {
  run_id: string;
  workflow_id: string;
}

export interface ResumeCampaignActivities {
  /** Held runs in the order of their ids, after the one given; empty at the end. */
  listHeldRuns(input: { client_id: string; campaign_id: string; after: string | null }): Promise<HeldRun[]>;
  /** Marks them active and wakes them; doing it twice changes nothing. */
  resumeRuns(input: { client_id: string; runs: HeldRun[] }): Promise<void>;
}

/** One at a time for each campaign. */
export function resumeCampaignId(clientId: string, campaignId: string): string {
  return `resume:${clientId}:${campaignId}`;
}
