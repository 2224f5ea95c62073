import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

import { afterEach, expect, it } from "vitest";

import { waitUntil } from "../../../test/support/wait-until.ts";
import { isStandingStill, listTrees } from "../process-tree.ts";
import { createFreezer } from "./freeze.ts";

const started: number[] = [];
afterEach(() => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Gone already.
    }
  }
});

function start(code: string): ChildProcess & { pid: number } {
  const child = spawn(process.execPath, ["-e", code], { stdio: "ignore", detached: true });
  if (child.pid === undefined) throw new Error("not started");
  started.push(child.pid);
  return child as ChildProcess & { pid: number };
}

/** Somebody who never rests, and has a child. */
const BUSY = `require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1)"]);
  setInterval(() => {}, 1)`;

async function startFamily(): Promise<number[]> {
  const { pid } = start(BUSY);
  await waitUntil(() => listTrees([pid]).length === 2, { what: "a child" });
  return listTrees([pid]);
}

it("brings a process and its children to a standstill, and wakes them", async () => {
  const family = await startFamily();
  expect(family.some(isStandingStill)).toBe(false);
  const freezer = createFreezer();
  await freezer.freeze(family.slice(0, 1));
  expect(family.every(isStandingStill)).toBe(true);
  freezer.wake(family.slice(0, 1));
  await waitUntil(() => !family.some(isStandingStill), { what: "awake for now" });
  await freezer.freeze(family.slice(0, 1));
  await freezer.thaw();
  await waitUntil(() => !family.some(isStandingStill), { what: "awake again" });
});

it("wakes everyone also where whoever stopped them was killed", async () => {
  const family = await startFamily();
  const module = pathToFileURL(`${import.meta.dirname}/freeze.ts`).href;
  const stopper = start(
    `import(${JSON.stringify(module)}).then(({ createFreezer }) => createFreezer().freeze([${family[0]}]));
     setInterval(() => {}, 1_000)`,
  );
  await waitUntil(() => family.every(isStandingStill), { what: "standstill" });
  await sleep(50);
  process.kill(stopper.pid, "SIGKILL");
  await waitUntil(() => !family.some(isStandingStill), { what: "awake again" });
  expect(listTrees(family.slice(0, 1))).toEqual(family);
});
