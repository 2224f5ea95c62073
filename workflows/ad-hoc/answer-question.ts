import { ActivityFailure, CancellationScope, isCancellation, proxyActivities, rootCause } from "@temporalio/workflow";

import type { AdHocActivities, AdHocInput, QuestionState } from "../../core/contracts/ad-hoc.ts";

/** May be repeated: it reads, and keeps the answer under the question's id. Somebody waits for it, so not for ever. */
const activities = proxyActivities<Pick<AdHocActivities, "answerQuestion">>({
  startToCloseTimeout: "1 h",
  heartbeatTimeout: "30 s",
  retry: { initialInterval: "1 s", maximumInterval: "30 s", maximumAttempts: 6 },
});

/** A row: tried until it is written. */
const { giveUp } = proxyActivities<Pick<AdHocActivities, "giveUp">>({
  startToCloseTimeout: "30 s",
  retry: { initialInterval: "1 s", maximumInterval: "60 s" },
});

/** One question, one answer; also that there is none is an answer. */
export async function answerQuestion(input: AdHocInput): Promise<QuestionState> {
  try {
    return await activities.answerQuestion(input);
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const fault = isCancellation(error) ? "It was cancelled." : (rootCause(error) ?? "It did not come to an end.");
    await CancellationScope.nonCancellable(() => giveUp({ ...input, fault }));
    return "failed";
  }
}
