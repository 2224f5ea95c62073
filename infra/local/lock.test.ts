import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { lockFolder } from "./lock.ts";
import { endLeftover } from "./process.ts";
import { identifyProcess } from "./process-identity.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "livora-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("a folder belongs to one start at a time", () => {
  const unlock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(`Livora already runs from this folder (pid ${process.pid})`);
  unlock();
  expect(() => lockFolder(folder)()).not.toThrow();
});

it("the lock of one that was killed is taken over, even where its number now belongs to another", () => {
  writeFileSync(join(folder, "lock.json"), JSON.stringify({ pid: process.pid, identity: "started at another time" }));
  expect(() => lockFolder(folder)()).not.toThrow();
});

it("a leftover is ended only where it is still the same process", async () => {
  const child = spawn("sleep", ["60"]);
  const pid = child.pid as number;
  const pidFile = join(folder, "pid.json");
  writeFileSync(pidFile, JSON.stringify({ name: "sleeper", pid, identity: "somebody else" }));
  expect(await endLeftover(pidFile)).toBeNull();
  expect(identifyProcess(pid)).not.toBeNull();

  writeFileSync(pidFile, JSON.stringify({ name: "sleeper", pid, identity: identifyProcess(pid) }));
  expect(await endLeftover(pidFile)).toBe(`sleeper (pid ${pid})`);
  expect(identifyProcess(pid)).toBeNull();
});
