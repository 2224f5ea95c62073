import { readdirSync } from "node:fs";

import { Worker } from "@temporalio/worker";
import { beforeAll, describe, expect, it } from "vitest";

import { readHistory } from "../../test/support/history.ts";
import { bundleWorkflows } from "../../workers/bundle.ts";

const FOLDER = new URL("../../test/replay/histories/", import.meta.url);
const recordings = readdirSync(FOLDER).filter((name) => name.startsWith("lake-"));
let workflowBundle: Awaited<ReturnType<typeof bundleWorkflows>>;

beforeAll(async () => {
  workflowBundle = await bundleWorkflows("lake/compact.ts");
});

describe("compactLake", () => {
  it("has recordings", () => expect(recordings).not.toEqual([]));

  it.each(recordings)("still goes the way of %s", async (name) => {
    const history = readHistory(new URL(name, FOLDER).pathname);
    await Worker.runReplayHistory({ workflowBundle }, history, name);
    expect(history.events?.at(-1)?.workflowExecutionCompletedEventAttributes).toBeTruthy();
  });
});
