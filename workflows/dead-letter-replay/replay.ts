import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from "@temporalio/workflow";

import {
  type DeadLetterReplayActivities,
  NO_REPLAY_COUNTS,
  PROGRESS_QUERY,
  REPLAY_SIGNALS,
  type ReplayCounts,
  type ReplayInput,
  type ReplayProgress,
} from "../../core/contracts/dead-letter-replay.ts";
import { sumCounts } from "../../core/sum-counts.ts";
import { isHistoryLong } from "../history.ts";

/** So many that a page is worth its two activities, so few that one attempt is soon done. */
const MAX_PAGE = 100;

/**
 * All may be repeated: what has been put, settled or ended is found so in the letters' rows. The stream and the consumer are
 * waited for, for as long as it takes; heartbeats tell that somebody waits.
 */
const { putLetters, settleLetters } = proxyActivities<DeadLetterReplayActivities>({
  startToCloseTimeout: "2 min",
  heartbeatTimeout: "15 s",
  retry: { initialInterval: "500 ms", maximumInterval: "30 s" },
});
const { endReplay } = proxyActivities<Pick<DeadLetterReplayActivities, "endReplay">>({
  startToCloseTimeout: "30 s",
  retry: { initialInterval: "1 s", maximumInterval: "60 s" },
});

/**
 * A page is put and settled before the next one begins: so a replay is never further ahead than a page, pauses between
 * pages, and does not press upon a consumer that stands still.
 */
export async function replayDeadLetters(input: ReplayInput): Promise<ReplayProgress> {
  const { client_id, replay_id, rate_per_second } = input;
  let { counts = NO_REPLAY_COUNTS, after, is_paused: isPaused = false } = input;
  let isCancelled = false;
  let end: "done" | "cancelled" | undefined;
  setHandler(defineSignal(REPLAY_SIGNALS.pause), () => void (isPaused = true));
  setHandler(defineSignal(REPLAY_SIGNALS.resume), () => void (isPaused = false));
  setHandler(defineSignal(REPLAY_SIGNALS.cancel), () => void (isCancelled = true));
  setHandler(defineQuery<ReplayProgress>(PROGRESS_QUERY), (): ReplayProgress => ({
    state: end ?? (isPaused ? "paused" : "running"),
    counts,
  }));

  const limit = Math.min(MAX_PAGE, Math.max(1, Math.ceil(rate_per_second)));
  for (;;) {
    setCurrentDetails(describe(counts, isPaused));
    await condition(() => !isPaused || isCancelled);
    if (isCancelled) break;
    const page = await putLetters({ client_id, replay_id, limit, ...(after && { after }) });
    const { ids } = page;
    if (ids.length === 0) break;
    after = page.after ?? after;
    counts = sumCounts([counts, await settleLetters({ client_id, replay_id, ids })]);
    await condition(() => isCancelled, (1_000 * ids.length) / rate_per_second);
    if (!isCancelled && isHistoryLong() && allHandlersFinished()) {
      await continueAsNew<typeof replayDeadLetters>({ ...input, counts, ...(after && { after }), is_paused: isPaused });
    }
  }
  end = isCancelled ? "cancelled" : "done";
  await endReplay({ client_id, replay_id, state: end, counts });
  await condition(allHandlersFinished);
  setCurrentDetails(describe(counts, false));
  return { state: end, counts };
}

function describe({ taken, duplicate, failed_again, refused }: ReplayCounts, isPaused: boolean): string {
  const done = `**${taken}** taken, ${duplicate} had been before, ${failed_again} failed again, ${refused} refused`;
  return isPaused ? `${done}; paused` : done;
}
