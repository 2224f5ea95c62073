import { randomUUID } from "node:crypto";

import { beforeEach, describe, expect, it } from "vitest";

import {
  DEAD_LETTERS_TASK_QUEUE,
  type DeadLetterReplayActivities,
  PROGRESS_QUERY,
  REPLAY_SIGNALS,
  REPLAY_WORKFLOW,
  type ReplayInput,
  type ReplayProgress,
} from "../../core/contracts/dead-letter-replay.ts";
import { recordHistory } from "../../test/support/history.ts";
import { waitUntil } from "../../test/support/wait-until.ts";
import { useWorker } from "../../test/support/workflow-worker.ts";

/** How many letters wait, which were put and settled in what order, and the pages that were asked for after what. */
let open: number;
let put: string[];
let settled: string[];
let after: (string | undefined)[];
let failures: number;
let ends: object[];
let onPut: () => Promise<void>;

const activities: DeadLetterReplayActivities = {
  async putLetters(input) {
    after.push(input.after);
    const ids = Array.from({ length: Math.min(input.limit, open) }, (_, i) => `letter-${put.length + i}`);
    open -= ids.length;
    put.push(...ids);
    await onPut();
    const last = ids.at(-1);
    return { ids, ...(last && { after: last }) };
  },
  async settleLetters({ ids }) {
    if (failures-- > 0) throw new Error("the consumer stands still");
    settled.push(...ids);
    return { taken: ids.length - 1, duplicate: 0, failed_again: 1, refused: 0 };
  },
  async endReplay({ state, counts }) {
    ends.push({ state, counts });
  },
};

const worker = useWorker({ taskQueue: DEAD_LETTERS_TASK_QUEUE, workflows: "dead-letters.ts", activities });
beforeEach(() => {
  [open, put, settled, after, failures, ends] = [0, [], [], [], 0, []];
  onPut = () => Promise.resolve();
});

function start(more: Partial<ReplayInput> = {}) {
  const input: ReplayInput = { client_id: "demo", replay_id: randomUUID(), rate_per_second: 100, ...more };
  return worker.start(REPLAY_WORKFLOW, input);
}

describe("replayDeadLetters", () => {
  it("puts and settles every letter once, page by page, and writes down the sum", async () => {
    open = 250;
    const handle = await start();
    const counts = { taken: 247, duplicate: 0, failed_again: 3, refused: 0 };
    expect(await handle.result()).toEqual({ state: "done", counts });
    await recordHistory("dead-letters-pages", handle);
    expect(new Set(put).size).toBe(250);
    expect(settled).toEqual(put);
    expect(after).toEqual([undefined, "letter-99", "letter-199", "letter-249"]);
    expect(ends).toEqual([{ state: "done", counts }]);
  });

  it("has nothing to do where there are no letters", async () => {
    expect(await (await start()).result()).toMatchObject({ state: "done" });
  });

  it("goes no faster than it may", async () => {
    open = 600;
    const begin = await worker.env.currentTimeMs();
    await (await start({ rate_per_second: 10 })).result();
    expect((await worker.env.currentTimeMs()) - begin).toBeGreaterThanOrEqual(60_000);
  });

  it("waits for a consumer that stands still for half an hour", async () => {
    open = 5;
    failures = 60;
    expect(await (await start()).result()).toMatchObject({ counts: { taken: 4 } });
    expect(settled).toHaveLength(5);
  });

  it("pauses between pages, says so, and goes on", async () => {
    open = 250;
    const handle = await start();
    onPut = async () => {
      if (put.length === 100) await handle.signal(REPLAY_SIGNALS.pause);
    };
    await waitUntil(async () => (await handle.query<ReplayProgress>(PROGRESS_QUERY)).state === "paused");
    await waitUntil(() => settled.length === 100);
    await worker.env.sleep("1 hour");
    expect(put).toHaveLength(100);
    await handle.signal(REPLAY_SIGNALS.resume);
    expect(await handle.result()).toMatchObject({ state: "done" });
    await recordHistory("dead-letters-paused", handle);
    expect(put).toHaveLength(250);
  });

  it("is cancelled after the page under way, also while it pauses", async () => {
    open = 250;
    const handle = await start();
    onPut = () => handle.signal(REPLAY_SIGNALS.pause);
    await waitUntil(() => settled.length === 100);
    await handle.signal(REPLAY_SIGNALS.cancel);
    expect(await handle.result()).toMatchObject({ state: "cancelled", counts: { taken: 99 } });
    await recordHistory("dead-letters-cancelled", handle);
    expect(ends).toMatchObject([{ state: "cancelled" }]);
    expect(open).toBe(150);
  });

  it("goes on in a new execution before its history grows long, and loses no count", async () => {
    open = 15_000;
    const handle = await start({ rate_per_second: 1_000 });
    expect(await handle.result()).toMatchObject({ counts: { taken: 14_850, failed_again: 150 } });
    const last = await handle.describe();
    expect(last.runId).not.toBe(handle.firstExecutionRunId);
    expect(last.historyLength).toBeLessThan(1_100);
  });
});
