import { spawn } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { uuidOf } from "../../../core/uuid.ts";
import type { LakeTask } from "../../../test/support/lake-child.ts";
import { listLakeFiles, readLakeIds } from "../../../test/support/lake-reader.ts";
import { stackConfig } from "../../../test/support/stack-config.ts";

const CHILD = new URL("../../../test/support/lake-child.ts", import.meta.url).pathname;
const KILLS = 3;
const HOURS = 4;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "livora-kill-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Answers whether the child came to its end before it was killed. */
async function runChild(task: LakeTask, killAfterMs?: number): Promise<boolean> {
  const path = join(folder, "task.json");
  await writeFile(path, JSON.stringify(task));
  const child = spawn(process.execPath, [CHILD, path], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  if (killAfterMs !== undefined) await Promise.race([sleep(killAfterMs).then(() => child.kill("SIGKILL")), ended]);
  const [code] = (await ended) as [number | null];
  if (code !== null && code !== 0) throw new Error(`the child failed with ${code}`);
  return code === 0;
}

/** Kills it a few times on its way, then lets it come to its end. */
async function runThroughKills(task: LakeTask, withinMs: number): Promise<void> {
  for (let kill = 0; kill < KILLS; kill++) if (await runChild(task, randomInt(1, withinMs))) return;
  expect(await runChild(task)).toBe(true);
}

describe("kill -9 of the lake's writer and of its compaction", () => {
  it("leaves every event there once, in whole files only", async () => {
    const config = { ...stackConfig(), LIVORA_LAKE: join(folder, "lake") };
    const [batches, batchSize] = [12, 1_000];
    const startMs = Date.parse("2026-11-18T04:00:00.000Z");
    const clientId = `kill-${randomUUID()}`;
    const checkpoint = join(folder, "checkpoint.json");
    const task = { config, clientId, startMs, batches, batchSize, checkpoint, compact: false };
    const expected = Array.from({ length: batches * batchSize }, (_, n) =>
      uuidOf("event", clientId, String(n)),
    ).toSorted();

    await runThroughKills(task, 400);
    expect(await readLakeIds(config.LIVORA_LAKE, clientId)).toEqual(expected);

    await runThroughKills({ ...task, compact: true }, 250);
    expect(await readLakeIds(config.LIVORA_LAKE, clientId)).toEqual(expected);
    expect(await listLakeFiles(config.LIVORA_LAKE, clientId)).toHaveLength(HOURS);
    const left = await readdir(join(config.LIVORA_LAKE, "raw"), { recursive: true });
    expect(left.filter((path) => path.endsWith(".json"))).toEqual([]);
  }, 180_000);
});
