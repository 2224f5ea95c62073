import { describe, expect, it } from "vitest";

import { createFlowGate } from "./flow-gate.ts";
import { createShares } from "./share-out.ts";

describe("what may lie in the stream", () => {
  let [nowMs, handledMs] = [100_000, 100_000];
  const open = () => createFlowGate(async () => ({ nowMs, handledMs }), 1_000);
  const at = (now: number, handled: number) => ([nowMs, handledMs] = [now, handled]);

  it("is a window, which moves on with those who read", async () => {
    at(100_000, 100_000);
    const gate = open();
    expect(await gate.mayGo(600)).toBe(true);
    gate.went(600);
    at(100_200, 100_100);
    expect(await gate.mayGo(600)).toBe(false);
    at(100_500, 100_201);
    expect(await gate.mayGo(600)).toBe(true);
  });

  it("is a page at least, whatever its size", async () => {
    at(100_000, 100_000);
    expect(await open().mayGo(5_000)).toBe(true);
  });

  it("is nothing while those who read are behind", async () => {
    at(110_000, 100_000);
    expect(await open().mayGo(1)).toBe(false);
    at(110_000, 109_000);
    expect(await open().mayGo(1)).toBe(true);
  });

  it("is anything where nobody knows", async () => {
    at(100_000, 0);
    const gate = open();
    gate.went(5_000);
    expect(await gate.mayGo(5_000)).toBe(true);
    const away = createFlowGate(() => Promise.reject(new Error("Redis is away")));
    expect(await away.mayGo(1)).toBe(true);
  });
});

/** Who goes when, with each asking for its next page as soon as it has gone. */
async function play(perSecond: Record<string, number>, together: number, untilMs: number) {
  let nowMs = 0;
  const sleepers: { atMs: number; wake: () => void }[] = [];
  const sleep = (ms: number) => new Promise<void>((wake) => sleepers.push({ atMs: nowMs + ms, wake }));
  const shares = createShares(together, { now: () => nowMs, sleep });
  const gone: Record<string, number> = Object.fromEntries(Object.keys(perSecond).map((name) => [name, 0]));
  for (const [name, rate] of Object.entries(perSecond)) {
    void (async () => {
      for (;;) {
        await shares.take(name, 100, rate, new AbortController().signal);
        if (nowMs >= untilMs) return;
        gone[name] = (gone[name] ?? 0) + 100;
        // Putting a page takes its time, too.
        await sleep(1);
      }
    })();
  }
  while (nowMs < untilMs) {
    await new Promise(setImmediate);
    sleepers.sort((a, b) => a.atMs - b.atMs);
    const next = sleepers.shift();
    if (next === undefined) break;
    nowMs = Math.max(nowMs, next.atMs);
    next.wake();
  }
  return gone;
}

describe("several side by side", () => {
  it("have the same share, and no more than all together may have", async () => {
    const gone = await play({ a: 10_000, b: 10_000 }, 2_000, 10_000);
    expect(Math.abs(gone["a"]! - gone["b"]!)).toBeLessThanOrEqual(200);
    expect(gone["a"]! + gone["b"]!).toBeLessThanOrEqual(20_400);
    expect(gone["a"]! + gone["b"]!).toBeGreaterThan(18_000);
  });

  it("one that may only go slowly leaves the rest to the other", async () => {
    const gone = await play({ slow: 100, fast: 10_000 }, 2_000, 10_000);
    expect(gone["slow"]).toBeLessThanOrEqual(1_100);
    expect(gone["fast"]).toBeGreaterThan(17_000);
  });
});
