import { DefaultLogger, Runtime, Worker } from "@temporalio/worker";

import { listHistories, readHistory } from "../../test/support/history.ts";
import { bundleWorkflows } from "../../workers/bundle.ts";
import type { Row, Scenario } from "../scenario.ts";

/** As many as a change of the code is tried on. */
const HISTORIES = 1_000;

/** (e) Recorded journeys replayed against today's code, as every change is. */
export const replay: Scenario = {
  name: "replay",
  async run(bench) {
    Runtime.install({ logger: new DefaultLogger("ERROR"), shutdownSignals: [] });
    const workflowBundle = await bundleWorkflows("journeys.ts");
    const row: Row = { part: "e", what: "histories replayed", load: `${HISTORIES} of journeys`, note: "wanted: 17/s" };
    const recordings = listHistories("journey-").map(readHistory);
    for (let round = 1; round <= bench.rounds; round++) {
      const beganMs = performance.now();
      const own = process.cpuUsage();
      let replayed = 0;
      for await (const { error, workflowId } of Worker.runReplayHistories({ workflowBundle }, repeat(recordings))) {
        if (error) throw new Error(`${workflowId} goes another way`, { cause: error });
        replayed++;
      }
      const { user, system } = process.cpuUsage(own);
      (row.perSecond ??= []).push(replayed / ((performance.now() - beganMs) / 1_000));
      (row.cpuMicros ??= []).push((user + system) / replayed);
      bench.report(`replay: round ${round} of ${bench.rounds}, ${replayed} histories`);
    }
    return [row];
  },
};

function* repeat(recordings: readonly ReturnType<typeof readHistory>[]) {
  for (let i = 0; i < HISTORIES; i++) {
    const history = recordings[i % recordings.length] ?? {};
    yield { workflowId: `replayed-${i}`, history };
  }
}
