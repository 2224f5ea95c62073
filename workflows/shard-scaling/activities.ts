import { proxyActivities, proxyLocalActivities } from "@temporalio/workflow";

import type { ScalingActivities } from "../../core/contracts/shard-scaling.ts";

/** Three reads, again and again for ever: as tasks of their own they would cost Temporal twice as much. */
export const { decideOnShards, judgeChange, lookAtStream } = proxyLocalActivities<
  Omit<ScalingActivities, "changeShards">
>({
  startToCloseTimeout: "10 s",
  localRetryThreshold: "10 s",
  retry: { initialInterval: "500 ms", maximumInterval: "30 s" },
});

/** May be repeated: it sees what has been done. */
export const { changeShards } = proxyActivities<Pick<ScalingActivities, "changeShards">>({
  startToCloseTimeout: "30 s",
  retry: { initialInterval: "1 s", maximumInterval: "30 s" },
});
