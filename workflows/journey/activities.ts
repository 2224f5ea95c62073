import { proxyActivities, proxyLocalActivities } from "@temporalio/workflow";

import type { JourneyActivities } from "../../core/contracts/journey.ts";

/** Read once for each execution, so it is not worth a task of its own. */
export const { loadDefinition } = proxyLocalActivities<Pick<JourneyActivities, "loadDefinition">>({
  startToCloseTimeout: "10 s",
  localRetryThreshold: "10 s",
  retry: { initialInterval: "200 ms", maximumInterval: "30 s" },
});

/** Tried for as long as it takes: the delivery ledger lets a message leave once, however often it is asked. */
export const { sendMessage } = proxyActivities<Pick<JourneyActivities, "sendMessage">>({
  startToCloseTimeout: "60 s",
  retry: { initialInterval: "1 s", maximumInterval: "60 s" },
});

/** Reading, and a write that may be repeated. */
export const { readPerson, endRun } = proxyActivities<Pick<JourneyActivities, "readPerson" | "endRun">>({
  startToCloseTimeout: "15 s",
  retry: { initialInterval: "500 ms", maximumInterval: "60 s" },
});
