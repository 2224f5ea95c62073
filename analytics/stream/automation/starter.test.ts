import { expect, it } from "vitest";

import { createStarter } from "./starter.ts";

type Parts = Parameters<typeof createStarter>[0];

it("a run that is stopped while nobody knows whether it has a workflow is told so: a start whose answer was lost has left one", async () => {
  const told: string[] = [];
  const journeys: Parts["journeys"] = {
    start: async () => "started",
    async stop(workflowId) {
      told.push(workflowId);
      return true;
    },
  };
  const starter = createStarter({ ctx: {} as Parts["ctx"], journeys });
  starter.stop([{ run_id: "r1", workflow_id: "w1", reason: "purchase", event_id: "e1" }]);
  await starter.close();
  expect(told).toEqual(["w1"]);
});
