import { execFile, execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { disturb } from "../disturb.ts";
import type { Scenario, Scene } from "../scenario.ts";

const run = promisify(execFile);
const TROUBLE_MS = 8_000;
const HEALS_WITHIN_MS = 60_000;
const DISK_MB = 96;

/** Where the lake lies, on a small disk of its own that the rest of the machine does not see. */
const lakeDisk = { prepare: (dir: string) => mountDisk(join(dir, "lake")) };

const diskFull: Scenario = {
  name: "disk-full-lake",
  fault: "the lake's disk is full",
  invariant: "what was kept is kept, what is new waits in the stream; heals by itself",
  needs: ["namespace"],
  stack: lakeDisk,
  run: (scene) =>
    suffer(scene, async (lake) => {
      const filler = join(lake, "filler");
      fillUp(filler);
      return async () => rmSync(filler);
    }),
};

const readOnly: Scenario = {
  name: "read-only-lake",
  fault: "the lake's disk becomes read-only",
  invariant: diskFull.invariant,
  needs: ["namespace"],
  stack: lakeDisk,
  run: (scene) =>
    suffer(scene, async (lake) => {
      // Laid over the disk: who has a file open there would keep it from becoming read-only itself.
      await run("mount", ["--bind", lake, lake]);
      await remountReadOnly(lake);
      return async () => void (await run("umount", ["--lazy", lake]));
    }),
};

const failingDisk: Scenario = {
  name: "disk-error-lake",
  fault: "fsync, write and rename of the consumers fail with EIO, one time in two",
  invariant: diskFull.invariant,
  needs: ["strace"],
  run: (scene) =>
    suffer(scene, async () => {
      const strace = await disturb(scene.stack.pidOf("analytics"), [
        "inject=fsync,fdatasync,rename:error=EIO:when=1+2",
      ]);
      return strace.stop;
    }),
};

const fullPostgres: Scenario = {
  name: "disk-full-postgres",
  fault: "the disk of PostgreSQL is full",
  invariant: "honest refusals while it lasts; what was acknowledged is there afterwards",
  needs: ["namespace"],
  // It ends itself rather than go on without its log.
  victims: ["postgres"],
  stack: { prepare: (dir) => mountDisk(join(dir, "postgres"), 256, "0711") },
  run: (scene) =>
    suffer(scene, async () => {
      const filler = join(scene.stack.dir, "postgres", "filler");
      fillUp(filler);
      return async () => rmSync(filler);
    }),
};

export const diskTrouble: Scenario[] = [diskFull, readOnly, failingDisk, fullPostgres];

/** People come before, during and after; the trouble is over once `begin`'s answer has been awaited. */
async function suffer(scene: Scene, begin: (lake: string) => Promise<() => Promise<void>>): Promise<void> {
  await scene.letIn(4);
  const end = await begin(scene.stack.lake);
  void scene.letIn(6);
  await sleep(TROUBLE_MS);
  await end();
  await scene.recover(Date.now(), HEALS_WITHIN_MS);
}

function mountDisk(folder: string, megabytes = DISK_MB, mode = "0755"): void {
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=${mode}`, "livora-chaos", folder]);
}

async function remountReadOnly(folder: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return void (await run("mount", ["-o", "remount,bind,ro", folder]));
    } catch (error) {
      // Busy while somebody has a file open to write.
      if (attempt > 200) throw error;
      await sleep(25);
    }
  }
}

/** To the last byte. */
function fillUp(file: string): void {
  const { bavail, bsize } = statfsSync(join(file, ".."));
  const chunk = Buffer.alloc(bsize);
  writeFileSync(file, "");
  for (let left = bavail + 16; left > 0; left--) {
    try {
      appendFileSync(file, chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") return;
      throw error;
    }
  }
}
