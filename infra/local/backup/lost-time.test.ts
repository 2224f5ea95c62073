import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { lostTimeEnvironment, restoringFile, writeLostTime } from "./lost-time.ts";
import { readManifest, verifyFiles, writeManifest } from "./manifest.ts";

const [MONDAY, TUESDAY, WEDNESDAY] = [
  "2026-11-16T10:00:00.000Z",
  "2026-11-17T10:00:00.000Z",
  "2026-11-18T10:00:00.000Z",
];

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "livora-lost-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it("services are told of the time that a restore lost, and of none where there was none", () => {
  expect(lostTimeEnvironment(dir)).toEqual({});
  writeLostTime(dir, { since: MONDAY, until: TUESDAY });
  expect(lostTimeEnvironment(dir)).toEqual({ LIVORA_LOST_SINCE: MONDAY, LIVORA_LOST_UNTIL: TUESDAY });
});

it("a backup of what was restored before: the time since the first of the two is in doubt", () => {
  writeLostTime(dir, { since: MONDAY, until: TUESDAY });
  writeLostTime(dir, { since: TUESDAY, until: WEDNESDAY });
  expect(lostTimeEnvironment(dir)).toEqual({ LIVORA_LOST_SINCE: MONDAY, LIVORA_LOST_UNTIL: WEDNESDAY });
});

it("what a restore left half done is not started", () => {
  writeFileSync(restoringFile(dir), "{}");
  expect(() => lostTimeEnvironment(dir)).toThrow("was interrupted");
});

it("a backup that is damaged names the file", async () => {
  mkdirSync(join(dir, "lake"));
  for (const [path, text] of [
    ["lake/one", "1"],
    ["two", "2"],
  ] as const)
    writeFileSync(join(dir, path), text);
  const contents = { files: ["two", "lake/one"], folders: ["lake"] };
  await writeManifest(dir, contents, { barrier_at: MONDAY, held_ms: 12, sends_under_way: false });
  const manifest = await readManifest(dir);
  await verifyFiles(dir, manifest);
  expect(JSON.parse(readFileSync(join(dir, "backup.json"), "utf8"))).toMatchObject({ barrier_at: MONDAY, held_ms: 12 });
  writeFileSync(join(dir, "lake/one"), "3");
  await expect(verifyFiles(dir, manifest)).rejects.toThrow("lake/one has changed");
  rmSync(join(dir, "lake/one"));
  await expect(verifyFiles(dir, manifest)).rejects.toThrow("lake/one is missing");
});
