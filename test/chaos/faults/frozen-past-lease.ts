import { setTimeout as sleep } from "node:timers/promises";

import type { Part } from "../../../infra/local/parts/part.ts";
import { signalProcess } from "../../../infra/local/process.ts";
import type { Scenario, Scene } from "../scenario.ts";

/** Half as long again as a lease lasts. */
const FROZEN_MS = 8_000;

/** Two processes share the shards; the one that has them stands still until the other has taken them, then goes on in the middle of its batch. */
export const frozenPastLease: Scenario = {
  name: "frozen-past-lease",
  fault: "SIGSTOP of the consumers for longer than their lease, while others take over",
  invariant: "who wakes up writes nothing stale",
  async run(scene) {
    const { stack, random } = scene;
    await stack.supervisor.stop(["analytics"]);
    const first = await stack.startAnother("analytics", "first");
    let second: Part | undefined;
    try {
      void scene.letIn(6);
      second = await stack.startAnother("analytics", "second");
      void scene.letIn(6);
      await sleep(random.between(100, 2_000));
      await freeze(scene, first);
    } finally {
      // The last to leave is the one that took over: what it does alone is judged, too.
      await first.stop();
      await stack.restart("analytics");
      await second?.stop();
    }
    await scene.recover(Date.now());
  },
};

async function freeze(scene: Scene, part: Part): Promise<void> {
  const frozenAtMs = Date.now();
  signalProcess(part.pid, "SIGSTOP");
  try {
    void scene.letIn(6);
    await scene.recover(frozenAtMs);
    await sleep(Math.max(0, frozenAtMs + FROZEN_MS - Date.now()));
  } finally {
    signalProcess(part.pid, "SIGCONT");
  }
  await scene.letIn(6);
}
