import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Part } from "./parts/part.ts";
import type { Exit } from "./process.ts";
import { createSupervisor } from "./supervisor.ts";

const LIVES = 6;
const pauses: number[] = [];

vi.mock("node:timers/promises", () => ({
  // Who hangs is not this test's matter: the checks for it wait for ever.
  setTimeout: (ms: number, _value: unknown, options?: object) =>
    options ? new Promise(() => {}) : Promise.resolve(void pauses.push(ms)),
}));

beforeEach(() => {
  pauses.length = 0;
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Dies again and again, each time so long after it was healthy; the last of its lives goes on. */
async function pausesOf(livesMs: number): Promise<number[]> {
  let born = 0;
  const supervisor = createSupervisor(() => {});
  const survived = Promise.withResolvers<void>();
  await supervisor.supervise("part", async () => {
    const exit = Promise.withResolvers<Exit>();
    const isLast = ++born === LIVES;
    const die = () => exit.resolve({ code: null, signal: "SIGKILL" });
    const ready = async () => {
      if (isLast) return survived.resolve();
      setImmediate(() => {
        vi.setSystemTime(Date.now() + livesMs);
        die();
      });
    };
    return { exited: exit.promise, ready, stop: async () => die(), speak: async () => undefined } as unknown as Part;
  });
  await survived.promise;
  await supervisor.stop(["part"]);
  return pauses;
}

test("who is killed in good health comes back at once, however often", async () => {
  expect(await pausesOf(1_500)).toEqual(Array(LIVES - 1).fill(200));
});

test("who dies as soon as it is up is waited for longer each time", async () => {
  expect(await pausesOf(100)).toEqual([200, 400, 800, 1_600, 3_200]);
});
