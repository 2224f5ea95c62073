import { continueAsNew, proxyActivities } from "@temporalio/workflow";

import type { ResumeCampaignActivities, ResumeCampaignInput } from "../../core/contracts/campaign.ts";
import { isHistoryLong } from "../history.ts";

const { listHeldRuns, resumeRuns } = proxyActivities<ResumeCampaignActivities>({
  startToCloseTimeout: "60 s",
  // Both can be repeated, so nobody is left behind, however long a store is away.
  retry: { initialInterval: "1 s", maximumInterval: "60 s" },
});

/** Answers with how many runs were woken. */
export async function resumeCampaign(input: ResumeCampaignInput): Promise<number> {
  const { client_id, campaign_id } = input;
  let { after = null, resumed = 0 } = input;
  for (;;) {
    const runs = await listHeldRuns({ client_id, campaign_id, after });
    const last = runs.at(-1);
    if (last === undefined) return resumed;
    await resumeRuns({ client_id, runs });
    after = last.run_id;
    resumed += runs.length;
    if (isHistoryLong()) await continueAsNew<typeof resumeCampaign>({ client_id, campaign_id, after, resumed });
  }
}
