import { Worker } from "@temporalio/worker";
import { beforeAll, describe, expect, it } from "vitest";

import { listHistories, readHistory } from "../../test/support/history.ts";
import { replayFromEveryPoint } from "../../test/support/replay.ts";
import { bundleWorkflows } from "../../workers/bundle.ts";

let workflowBundle: Awaited<ReturnType<typeof bundleWorkflows>>;

beforeAll(async () => {
  workflowBundle = await bundleWorkflows("journeys.ts");
});

/** Runs like these may be under way for months: a change of code that cannot follow them needs `patched`. */
describe("journeys and their resumption", () => {
  it.each([...listHistories("journey-"), ...listHistories("resume-")])("still go the way of %s", async (name) => {
    const history = readHistory(name);
    await Worker.runReplayHistory({ workflowBundle }, history, name);
    expect(history.events?.length).toBeGreaterThan(3);
  });

  it("do so from every point on the way", async () => {
    const { tried, failed } = await replayFromEveryPoint(workflowBundle, listHistories("journey-"));
    expect(failed).toEqual([]);
    expect(tried).toBeGreaterThan(100);
  });

  it("would notice a change", async () => {
    const history = readHistory(listHistories("journey-cart")[0]!);
    const timer = history.events!.find((event) => event.timerStartedEventAttributes)!;
    Object.assign(timer, {
      timerStartedEventAttributes: null,
      eventType: "EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED",
    });
    await expect(Worker.runReplayHistory({ workflowBundle }, history, "changed")).rejects.toThrow(/.+/);
  });
});
