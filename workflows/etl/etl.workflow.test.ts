import { randomUUID } from "node:crypto";

import { beforeEach, describe, expect, it } from "vitest";

import {
  ETL_PROGRESS_QUERY,
  ETL_SIGNALS,
  ETL_TASK_QUEUE,
  ETL_WORKFLOW,
  type EtlActivities,
  type EtlCheck,
  type EtlEnd,
  type EtlInput,
  type EtlPage,
  type EtlRunProgress,
} from "../../core/contracts/etl.ts";
import { recordHistory } from "../../test/support/history.ts";
import { waitUntil } from "../../test/support/wait-until.ts";
import { useWorker } from "../../test/support/workflow-worker.ts";

/** Pages of ten hours that there are, what was done in what order, and what goes wrong. */
let pages: number;
let steps: string[];
let ends: EtlEnd[];
let failures: number;
let published: EtlCheck[];
let asked: { is_partial?: boolean }[];
let onDays: EtlCheck[];
let onCurate: () => Promise<void>;

async function nextPage(step: string, after: string | undefined): Promise<EtlPage> {
  const n = Number(after ?? 0) + 1;
  steps.push(`${step} ${n}`);
  return { done: 10, after: n < pages ? String(n) : null, checks: [] };
}

const activities: EtlActivities = {
  beginRun: () => Promise.resolve(pages * 10),
  verifyHours: ({ after }) => nextPage("verify", after),
  stageIds: ({ after }) => nextPage("ids", after),
  settleRepeats: () => Promise.resolve(steps.push("repeats") && pages * 10),
  async curatePartitions({ after }) {
    if (failures-- > 0) throw new Error("the disk is full");
    const page = await nextPage("curate", after);
    await onCurate();
    const check = { check: "money" as const, state: "failed" as const, partitions: 10, failed: 1, details: ["1 row"] };
    return { ...page, checks: [check] };
  },
  settleLinks: () => Promise.resolve(steps.push("links") && pages * 10),
  aggregateDays: async ({ after }) => ({ ...(await nextPage("days", after)), checks: onDays }),
  async publish(input) {
    steps.push("publish");
    asked.push(input);
    return published;
  },
  endRun: (end) => Promise.resolve(void ends.push(end)),
};

const worker = useWorker({ taskQueue: ETL_TASK_QUEUE, workflows: "etl.ts", activities });
beforeEach(() => {
  [pages, steps, ends, failures] = [2, [], [], 0];
  [published, asked, onDays] = [[], [], []];
  onCurate = () => Promise.resolve();
});

const start = (more: Partial<EtlInput> = {}) =>
  worker.start<EtlInput>(ETL_WORKFLOW, { client_id: "demo", run_id: randomUUID(), ...more });

const broken = (details: string[]): EtlCheck => {
  return { check: "aggregates", state: "failed", partitions: 3, failed: details.length, details };
};

describe("etl", () => {
  it.each([
    ["a day's", [broken(["purchases of 2026-11-21: why"])], [], true],
    ["one of everything", [], [broken(["funnels: why"])], undefined],
  ])("fails, with the reason, where an aggregate could not be built: %s", async (_, days, whole, isPartial) => {
    [pages, onDays, published] = [1, days, whole];
    const end: EtlRunProgress = await (await start()).result();
    expect(steps).toEqual(["ids 1", "repeats", "curate 1", "links", "days 1", "publish"]);
    expect(asked.map(({ is_partial }) => is_partial)).toEqual([isPartial]);
    expect(end.state).toBe("failed");
    expect(end.checks).toContainEqual([...days, ...whole][0]);
    expect(ends).toMatchObject([{ state: "failed", checks: end.checks }]);
  });

  it("does each step's pages in order, and tells how far it has come and what the checks have found", async () => {
    const handle = await start();
    const end: EtlRunProgress = await handle.result();
    await recordHistory("etl-pages", handle);
    expect(steps).toEqual([
      "ids 1",
      "ids 2",
      "repeats",
      "curate 1",
      "curate 2",
      "links",
      "days 1",
      "days 2",
      "publish",
    ]);
    const progress = { partitions: { done: 20, total: 20 }, days: { done: 20, total: 20 } };
    expect(end).toMatchObject({ state: "done", progress });
    expect(end.checks).toEqual([
      { check: "money", state: "failed", partitions: 20, failed: 2, details: ["1 row", "1 row"] },
    ]);
    expect(ends).toMatchObject([{ state: "done", progress }]);
  });

  it("looks first whether what was built is still whole, where it is told to", async () => {
    pages = 1;
    const handle = await start({ verify: true });
    expect(await handle.result()).toMatchObject({ state: "done" });
    await recordHistory("etl-verified", handle);
    expect(steps).toEqual(["verify 1", "ids 1", "repeats", "curate 1", "links", "days 1", "publish"]);
  });

  it("names its run after itself where it was not asked for", async () => {
    const handle = await worker.start<EtlInput>(ETL_WORKFLOW, { client_id: "demo" });
    await handle.result();
    expect(ends).toMatchObject([{ run_id: handle.firstExecutionRunId }]);
  });

  it("pauses between pages, says so, and goes on", async () => {
    const handle = await start();
    onCurate = () => handle.signal(ETL_SIGNALS.pause);
    await waitUntil(async () => (await handle.query<EtlRunProgress>(ETL_PROGRESS_QUERY)).state === "paused");
    await waitUntil(() => steps.includes("curate 1"));
    await worker.env.sleep("1 hour");
    expect(steps.at(-1)).toBe("curate 1");
    onCurate = () => Promise.resolve();
    await handle.signal(ETL_SIGNALS.resume);
    expect(await handle.result()).toMatchObject({ state: "done" });
    await recordHistory("etl-paused", handle);
    expect(steps).toHaveLength(9);
  });

  it("is cancelled after the page under way, also while it pauses, and publishes nothing", async () => {
    const handle = await start();
    onCurate = async () => {
      await handle.signal(ETL_SIGNALS.pause);
      await handle.signal(ETL_SIGNALS.cancel);
    };
    expect(await handle.result()).toMatchObject({
      state: "cancelled",
      progress: { partitions: { done: 10, total: 20 } },
    });
    await recordHistory("etl-cancelled", handle);
    expect(steps.at(-1)).toBe("curate 1");
    expect(ends).toMatchObject([{ state: "cancelled" }]);
  });

  it("waits for a store that is away, and fails when it stays away", async () => {
    failures = 10;
    expect(await (await start()).result()).toMatchObject({ state: "done" });
    failures = 100;
    steps = [];
    const handle = await start();
    expect(await handle.result()).toMatchObject({ state: "failed" });
    await recordHistory("etl-failed", handle);
    expect(steps).not.toContain("publish");
    expect(ends.at(-1)).toMatchObject({ state: "failed" });
  });

  it("goes on in a new execution before its history grows long, and loses no page", async () => {
    pages = 150;
    const handle = await start();
    expect(await handle.result()).toMatchObject({ progress: { partitions: { done: 1_500 }, days: { done: 1_500 } } });
    expect(new Set(steps).size).toBe(453);
    expect(steps).toHaveLength(453);
    expect((await handle.describe()).runId).not.toBe(handle.firstExecutionRunId);
  });
});
