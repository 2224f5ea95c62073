import { continueAsNew, proxyActivities, setCurrentDetails } from "@temporalio/workflow";

import {
  type CompactionCounts,
  type CompactionInput,
  type LakeActivities,
  NO_COUNTS,
} from "../../core/contracts/lake.ts";
import { sumCounts } from "../../core/sum-counts.ts";
import { isHistoryLong } from "../history.ts";

/** So many that a page is worth its two activities, so few that one attempt is soon done. */
const PAGE_SIZE = 20;

/** May be repeated: what is planned is read anew. */
const { planCompaction, sweepLake } = proxyActivities<Pick<LakeActivities, "planCompaction" | "sweepLake">>({
  startToCloseTimeout: "60 s",
  retry: { initialInterval: "1 s", maximumInterval: "60 s" },
});

/** May be repeated: every step is journalled, and the next attempt goes on from there. Heartbeats tell that it is alive. */
const { compactPartitions } = proxyActivities<Pick<LakeActivities, "compactPartitions">>({
  startToCloseTimeout: "1 h",
  heartbeatTimeout: "30 s",
  retry: { initialInterval: "1 s", maximumInterval: "60 s" },
});

/** Goes once over all partitions that are worth compacting, page by page. */
export async function compactLake(input: CompactionInput): Promise<CompactionCounts> {
  let counts = input.counts ?? NO_COUNTS;
  let after = input.after;
  for (;;) {
    const page = await planCompaction({ limit: PAGE_SIZE, ...(after && { after }) });
    if (page.targets.length > 0) counts = sumCounts([counts, await compactPartitions({ targets: page.targets })]);
    setCurrentDetails(describe(counts));
    if (page.next === null) break;
    after = page.next;
    if (isHistoryLong()) await continueAsNew<typeof compactLake>({ after, counts });
  }
  await sweepLake();
  return counts;
}

function describe({ partitions, merged, written, failed }: CompactionCounts): string {
  return `**${partitions}** partitions: ${merged} files became ${written}; ${failed} failed`;
}
