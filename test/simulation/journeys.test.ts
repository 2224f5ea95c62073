import { expect, it, vi } from "vitest";

import { createClock } from "./clock.ts";
import { runJourneys } from "./journeys.ts";
import { openExecution, replay } from "./temporal/runtime.ts";
import { loadWorkflows } from "./temporal/workflows.ts";

vi.mock("@temporalio/workflow", () => import("./temporal/workflow.ts"));

const SEEDS = 300;

it("a journey's workflow heeds what it was told, does nothing twice, and does the same again when it is played back", async () => {
  const workflows = await loadWorkflows();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violations } = await runJourneys(seed, workflows);
    expect(violations.map((violation) => `seed ${seed}: ${violation}`).join("; ")).toBe("");
  }
}, 120_000);

it("a workflow whose code does not do again what it did is found out", async () => {
  const clock = createClock(0);
  let times = 0;
  // What no workflow may heed: something that is not in its history.
  const workflows = { fickle: async () => ++times };
  const begin = { nowMs: 0, isLong: false, jobs: [{ type: "start", workflow: "fickle", input: "null" } as const] };
  let said: Promise<unknown> = Promise.resolve();
  clock.after(0, () => {
    said = openExecution(clock, workflows)
      .activate(begin)
      .then((commands) => replay(clock, workflows, [{ ...begin, commands }]));
    said.catch(() => undefined);
  });
  await clock.runUntil(() => false, 1_000);
  await expect(said).rejects.toThrow(
    '[{"type":"complete","result":"2"}] instead of [{"type":"complete","result":"1"}]',
  );
});
