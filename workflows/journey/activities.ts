import { proxyActivities, proxyLocalActivities } from "@temporalio/workflow";

import type { JourneyActivities } from "../../core/contracts/journey.ts";

/**
 * One read and one write of a row, at the beginning and the end of a run: as tasks of their own they would double what a
 * short run costs Temporal. A store that is away for longer than the threshold is waited for by timers.
 */
export const { loadDefinition, endRun } = proxyLocalActivities<Pick<JourneyActivities, "loadDefinition" | "endRun">>({
  startToCloseTimeout: "10 s",
  localRetryThreshold: "10 s",
  retry: { initialInterval: "200 ms", maximumInterval: "30 s" },
});

/** Tried for as long as it takes: the delivery ledger lets a message leave once, however often it is asked. */
export const { sendMessage } = proxyActivities<Pick<JourneyActivities, "sendMessage">>({
  startToCloseTimeout: "60 s",
  retry: { initialInterval: "1 s", maximumInterval: "60 s" },
});

/** Reading may be repeated. */
export const { readPerson } = proxyActivities<Pick<JourneyActivities, "readPerson">>({
  startToCloseTimeout: "15 s",
  retry: { initialInterval: "500 ms", maximumInterval: "60 s" },
});
