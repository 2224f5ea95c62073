import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";

import {
  ETL_PROGRESS_QUERY,
  ETL_SIGNALS,
  type EtlActivities,
  type EtlInput,
  type EtlResume,
  type EtlRunProgress,
  type EtlScope,
  NO_PROGRESS,
} from "../../core/contracts/etl.ts";
import { addChecks, hasFailedBuild } from "../../core/etl-check.ts";
import { isHistoryLong } from "../history.ts";

/** May be repeated: what is done stands in the book. A store that is away is waited for a while; the next run goes on. */
const work = proxyActivities<EtlActivities>({
  startToCloseTimeout: "1 h",
  heartbeatTimeout: "60 s",
  retry: { initialInterval: "1 s", maximumInterval: "30 s", maximumAttempts: 60 },
});
/** How it ended must be written down, however long that takes. */
const { endRun } = proxyActivities<Pick<EtlActivities, "endRun">>({
  startToCloseTimeout: "60 s",
  retry: { initialInterval: "1 s", maximumInterval: "60 s" },
});

/**
 * A client's hours that are not up to date, page by page: (nightly: whether those that are still are), which events they hold, which of them other hours hold too, their curated
 * files, whose the devices are, the days. Pauses and stops between pages.
 */
export async function etl(input: EtlInput): Promise<EtlRunProgress> {
  const { client_id, run_id = workflowInfo().firstExecutionRunId, start, end, rebuild } = input;
  const scope: EtlScope = {
    client_id,
    run_id,
    ...(start && { start }),
    ...(end && { end }),
    ...(rebuild && { rebuild }),
  };
  const resume = input.resume;
  const first = input.verify === true ? "verify" : "ids";
  const at: EtlResume = resume ?? { step: first, progress: NO_PROGRESS, checks: [], is_paused: false };
  let state: EtlRunProgress["state"] = at.is_paused ? "paused" : "running";
  let isCancelled = false;
  const isOver = () => state !== "running" && state !== "paused";
  setHandler(defineSignal(ETL_SIGNALS.pause), () => void (isOver() || (state = "paused")));
  setHandler(defineSignal(ETL_SIGNALS.resume), () => void (isOver() || (state = "running")));
  setHandler(defineSignal(ETL_SIGNALS.cancel), () => void (isCancelled = true));
  setHandler(defineQuery<EtlRunProgress>(ETL_PROGRESS_QUERY), view);

  try {
    if (!resume) {
      const total = await work.beginRun({ ...scope, workflow_id: workflowInfo().workflowId });
      at.progress = { ...at.progress, partitions: { done: 0, total } };
    }
    if (at.step === "verify" && (await eachPage(work.verifyHours, () => undefined))) at.step = "ids";
    if (at.step === "ids" && (await eachPage(work.stageIds, () => undefined))) {
      const total = await work.settleRepeats(scope);
      Object.assign(at, { step: "curate", progress: { ...at.progress, partitions: { done: 0, total } } });
    }
    if (at.step === "curate" && (await eachPage(work.curatePartitions, (done) => count("partitions", done)))) {
      const total = await work.settleLinks(scope);
      Object.assign(at, { step: "days", progress: { ...at.progress, days: { done: 0, total } } });
    }
    if (at.step === "days" && (await eachPage(work.aggregateDays, (done) => count("days", done)))) {
      const is_partial = hasFailedBuild(at.checks);
      // Runs that were recorded before it answered anything have nothing here.
      at.checks = addChecks(at.checks, (await work.publish({ ...scope, ...(is_partial && { is_partial }) })) ?? []);
    }
    state = isCancelled ? "cancelled" : hasFailedBuild(at.checks) ? "failed" : "done";
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    state = "failed";
  }
  await endRun({ ...scope, state, progress: at.progress, checks: at.checks });
  await condition(allHandlersFinished);
  setCurrentDetails(describe());
  return view();

  /** True when the last page is done, false when the run is to stop. */
  async function eachPage(step: EtlActivities["stageIds"], onDone: (done: number) => void): Promise<boolean> {
    for (;;) {
      setCurrentDetails(describe());
      await condition(() => state === "running" || isCancelled);
      if (isCancelled) return false;
      const page = await step({ ...scope, ...(at.after && { after: at.after }) });
      onDone(page.done);
      at.checks = addChecks(at.checks, page.checks);
      delete at.after;
      if (page.after === null) return true;
      at.after = page.after;
      if (!isCancelled && isHistoryLong() && allHandlersFinished()) {
        await continueAsNew<typeof etl>({ ...input, run_id, resume: { ...at, is_paused: state === "paused" } });
      }
    }
  }

  function count(what: "partitions" | "days", done: number): void {
    const before = at.progress[what];
    at.progress = {
      ...at.progress,
      [what]: { done: before.done + done, total: Math.max(before.total, before.done + done) },
    };
  }

  function view(): EtlRunProgress {
    return { state, progress: at.progress, checks: at.checks };
  }

  function describe(): string {
    const { partitions, days } = at.progress;
    const failed = at.checks.reduce((sum, one) => sum + one.failed, 0);
    return `**${state}** (${at.step}): hours ${partitions.done}/${partitions.total}, days ${days.done}/${days.total}, ${failed} checks failed`;
  }
}
