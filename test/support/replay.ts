import { type ReplayResult, Worker } from "@temporalio/worker";

import type { bundleWorkflows } from "../../workers/bundle.ts";
import { readHistory } from "./history.ts";

/**
 * Replays each recording as it stood after each of its workflow tasks, which is how it is met when the code changes while a
 * run is under way. Resolves with those that cannot go on as they did, by `<recording> up to event <n>`, and how many were tried.
 */
export async function replayFromEveryPoint(
  workflowBundle: Awaited<ReturnType<typeof bundleWorkflows>>,
  names: readonly string[],
): Promise<{ tried: number; failed: string[] }> {
  const failed: string[] = [];
  let tried = 0;
  const results = Worker.runReplayHistories({ workflowBundle }, pointsOf(names));
  for await (const { workflowId, error } of results as AsyncIterable<ReplayResult>) {
    tried++;
    if (error) failed.push(`${workflowId}: ${error.message}`);
  }
  return { tried, failed };
}

function* pointsOf(names: readonly string[]) {
  for (const name of names) {
    const events = readHistory(name).events ?? [];
    for (const [i, event] of events.entries()) {
      const isPoint = event.workflowTaskCompletedEventAttributes || i === events.length - 1;
      if (!isPoint) continue;
      yield { workflowId: `${name} up to event ${i + 1}`, history: { events: events.slice(0, i + 1) } };
    }
  }
}
