import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from "@temporalio/workflow";

import {
  BACKFILL_SIGNALS,
  type BackfillActivities,
  type BackfillCounts,
  type BackfillEnd,
  type BackfillFailure,
  type BackfillInput,
  type BackfillProgress,
  NO_BACKFILL_COUNTS,
  PROGRESS_QUERY,
} from "../../core/contracts/backfill.ts";
import { isHistoryLong } from "../history.ts";

/** All may be repeated: how far a backfill has come is in its row. Stores that are away are waited for, for as long as it takes. */
const { loadPages } = proxyActivities<Pick<BackfillActivities, "loadPages">>({
  startToCloseTimeout: "2 min",
  heartbeatTimeout: "6 s",
  retry: { initialInterval: "500 ms", maximumInterval: "30 s" },
});
/** Unpacking some gigabytes takes its time. */
const { prepareFile } = proxyActivities<Pick<BackfillActivities, "prepareFile">>({
  startToCloseTimeout: "2 h",
  heartbeatTimeout: "30 s",
  retry: { initialInterval: "1 s", maximumInterval: "30 s" },
});
const { endBackfill } = proxyActivities<Pick<BackfillActivities, "endBackfill">>({
  startToCloseTimeout: "30 s",
  retry: { initialInterval: "1 s", maximumInterval: "60 s" },
});

const HELD_UP_FOR = "10 s";

/** Some seconds of pages at a time: between them it is paused, cancelled, or goes on elsewhere. */
export async function backfillEvents(input: BackfillInput): Promise<BackfillProgress> {
  const { client_id, backfill_id } = input;
  const backfill = { client_id, backfill_id };
  let { counts = NO_BACKFILL_COUNTS, is_paused: isPaused = false, is_prepared: isPrepared = false } = input;
  let isCancelled = false;
  let isHeldUp = false;
  let end: BackfillEnd | undefined;
  let failure: BackfillFailure | null = null;
  setHandler(defineSignal(BACKFILL_SIGNALS.pause), () => void (isPaused = true));
  setHandler(defineSignal(BACKFILL_SIGNALS.resume), () => void (isPaused = false));
  setHandler(defineSignal(BACKFILL_SIGNALS.cancel), () => void (isCancelled = true));
  setHandler(defineQuery<BackfillProgress>(PROGRESS_QUERY), (): BackfillProgress => ({
    state: end ?? (isPaused ? "paused" : "running"),
    counts,
    is_held_up: isHeldUp,
  }));

  try {
    while (end === undefined) {
      setCurrentDetails(describe(counts, isPaused ? "; paused" : ""));
      await condition(() => !isPaused || isCancelled);
      if (isCancelled) end = "cancelled";
      else if (!isPrepared) {
        ({ failure } = await prepareFile(backfill));
        isPrepared = true;
      } else {
        const loaded = await loadPages(backfill);
        ({ counts, failure, isHeldUp } = loaded);
        if (loaded.isDone) end = "done";
        else if (isHeldUp) await condition(() => isCancelled, HELD_UP_FOR);
      }
      if (failure !== null) end = "failed";
      if (end === undefined && !isCancelled && isHistoryLong() && allHandlersFinished()) {
        await continueAsNew<typeof backfillEvents>({
          ...backfill,
          counts,
          is_paused: isPaused,
          is_prepared: isPrepared,
        });
      }
    }
  } catch (error) {
    failure = failureOf(error);
    end = "failed";
  }
  await endBackfill({ ...backfill, state: end, failure });
  await condition(allHandlersFinished);
  setCurrentDetails(describe(counts, `; ${end}`));
  return { state: end, counts, is_held_up: false };
}

/** What trying again would not mend: everything else an activity tries again by itself. */
function failureOf(error: unknown): BackfillFailure {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure)) throw error;
  return { message: cause.message, faults: [] };
}

function describe({ read, accepted, rejected }: BackfillCounts, more: string): string {
  return `**${accepted}** of ${read} accepted, ${rejected} rejected${more}`;
}
