import { randomUUID } from "node:crypto";

import { ApplicationFailure } from "@temporalio/common";
import { beforeEach, describe, expect, it } from "vitest";

import {
  BACKFILL_SIGNALS,
  BACKFILL_TASK_QUEUE,
  BACKFILL_WORKFLOW,
  type BackfillActivities,
  type BackfillInput,
  type BackfillProgress,
  PROGRESS_QUERY,
} from "../../core/contracts/backfill.ts";
import { recordHistory } from "../../test/support/history.ts";
import { waitUntil } from "../../test/support/wait-until.ts";
import { useWorker } from "../../test/support/workflow-worker.ts";

/** How many lines the file has and how many are read, the page's failures to come, and how it ended. */
let lines: number;
let read: number;
let failures: Error[];
let heldUp: number;
let prepared: number;
let ends: object[];
let onPage: () => Promise<void>;
const BROKEN = { message: "The file is not gzip.", faults: [] };
let broken: typeof BROKEN | null;

const activities: BackfillActivities = {
  async prepareFile() {
    prepared++;
    return { failure: broken };
  },
  async loadPages() {
    const failure = failures.shift();
    if (failure) throw failure;
    const isHeldUp = heldUp-- > 0;
    if (!isHeldUp) read = Math.min(lines, read + 100);
    await onPage();
    return { counts: countsOf(read), isDone: read === lines, isHeldUp, failure: null };
  },
  async endBackfill({ state, failure }) {
    ends.push({ state, failure });
  },
};

const countsOf = (read: number) => ({ read, accepted: read - 1, rejected: 1 });
const worker = useWorker({ taskQueue: BACKFILL_TASK_QUEUE, workflows: "backfills.ts", activities });
beforeEach(() => {
  [lines, read, failures, heldUp, prepared, ends, broken] = [250, 0, [], 0, 0, [], null];
  onPage = () => Promise.resolve();
});

function start() {
  const input: BackfillInput = { client_id: "demo", backfill_id: randomUUID() };
  return worker.start(BACKFILL_WORKFLOW, input);
}

describe("backfillEvents", () => {
  it("loads page by page until the file is over, and writes that down", async () => {
    const handle = await start();
    expect(await handle.result()).toEqual({ state: "done", counts: countsOf(250), is_held_up: false });
    await recordHistory("backfill-pages", handle);
    expect([prepared, ends]).toEqual([1, [{ state: "done", failure: null }]]);
  });

  it("ends with a word of it where the file is broken, and loads nothing", async () => {
    broken = BROKEN;
    const handle = await start();
    expect(await handle.result()).toMatchObject({ state: "failed" });
    await recordHistory("backfill-broken", handle);
    expect([read, ends]).toEqual([0, [{ state: "failed", failure: BROKEN }]]);
  });

  it("tries again for half an hour what may pass", async () => {
    failures = Array.from({ length: 60 }, () => new Error("the stream is away"));
    expect(await (await start()).result()).toMatchObject({ state: "done", counts: countsOf(250) });
  });

  it("ends as failed where trying again would change nothing", async () => {
    failures = [ApplicationFailure.nonRetryable("The file is gone.", "not_found")];
    expect(await (await start()).result()).toMatchObject({ state: "failed" });
    expect(ends).toEqual([{ state: "failed", failure: { message: "The file is gone.", faults: [] } }]);
  });

  it("leaves consumers that are behind some time", async () => {
    heldUp = 30;
    const begin = await worker.env.currentTimeMs();
    const handle = await start();
    expect(await handle.result()).toMatchObject({ state: "done" });
    await recordHistory("backfill-held-up", handle);
    expect((await worker.env.currentTimeMs()) - begin).toBeGreaterThanOrEqual(300_000);
  });

  it("pauses between pages, says so, and goes on", async () => {
    const handle = await start();
    onPage = async () => {
      if (read === 100) await handle.signal(BACKFILL_SIGNALS.pause);
    };
    await waitUntil(async () => (await handle.query<BackfillProgress>(PROGRESS_QUERY)).state === "paused");
    await worker.env.sleep("1 hour");
    expect(await handle.query<BackfillProgress>(PROGRESS_QUERY)).toMatchObject({
      state: "paused",
      counts: countsOf(100),
    });
    await handle.signal(BACKFILL_SIGNALS.resume);
    expect(await handle.result()).toMatchObject({ state: "done", counts: countsOf(250) });
    await recordHistory("backfill-paused", handle);
  });

  it("is cancelled between pages, also while it pauses", async () => {
    const handle = await start();
    onPage = () => handle.signal(BACKFILL_SIGNALS.pause);
    await waitUntil(() => read === 100);
    await handle.signal(BACKFILL_SIGNALS.cancel);
    expect(await handle.result()).toMatchObject({ state: "cancelled", counts: countsOf(100) });
    await recordHistory("backfill-cancelled", handle);
    expect(ends).toEqual([{ state: "cancelled", failure: null }]);
  });

  it("goes on in a new execution before its history grows long, prepares no file twice, and loses no count", async () => {
    lines = 30_000;
    const handle = await start();
    expect(await handle.result()).toMatchObject({ state: "done", counts: countsOf(30_000) });
    const last = await handle.describe();
    expect(last.runId).not.toBe(handle.firstExecutionRunId);
    expect([prepared, last.historyLength < 1_100]).toEqual([1, true]);
  });
});
