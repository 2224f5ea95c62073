import { Worker } from "@temporalio/worker";
import { beforeAll, describe, expect, it } from "vitest";

import { listHistories, readHistory } from "../../test/support/history.ts";
import { replayFromEveryPoint } from "../../test/support/replay.ts";
import { bundleWorkflows } from "../../workers/bundle.ts";

let workflowBundle: Awaited<ReturnType<typeof bundleWorkflows>>;

beforeAll(async () => {
  workflowBundle = await bundleWorkflows("etl.ts");
}, 120_000);

describe("etl", () => {
  it.each(listHistories("etl-"))("still goes the way of %s", async (name) => {
    const history = readHistory(name);
    await Worker.runReplayHistory({ workflowBundle }, history, name);
    expect(history.events?.at(-1)?.workflowExecutionCompletedEventAttributes).toBeTruthy();
  });

  it("does so from every point on the way", async () => {
    const { tried, failed } = await replayFromEveryPoint(workflowBundle, listHistories("etl-"));
    expect(failed).toEqual([]);
    expect(tried).toBeGreaterThan(5);
  });
});
