import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import type { Part } from "../../../infra/local/parts/part.ts";
import { ROOT } from "../../../infra/local/paths.ts";
import type { Scenario, Scene } from "../scenario.ts";

/** What a worker is made of. */
const WORKER = ["workflows", "workers", "activities", "delivery", "core"];

/** People who came under the old version are served by the new one, back again, and by both at once. */
export const rollingUpdate: Scenario = {
  name: "rolling-update",
  fault: "workers of the last version beside those of this one, then alone, then gone",
  invariant: "nothing lost, nothing doubled; no journey fails to replay",
  needs: ["history"],
  async run(scene) {
    const { stack } = scene;
    const { root, commit } = checkOutLast(scene);
    let old: Part | undefined;
    try {
      void scene.letIn(4);
      old = await stack.startAnother("workers", "old-workers", { root });
      await scene.letIn(4);
      await stack.supervisor.stop(["workers"]);
      await scene.letIn(4);
      await stack.restart("workers");
    } finally {
      await old?.stop();
    }
    await scene.recover(Date.now());
    scene.note(`the last version is ${commit.slice(0, 7)}`);
  },
};

/** The tree before the last change to what workers are made of, in the stack's folder. */
function checkOutLast({ stack, random }: Scene): { root: string; commit: string } {
  const [last = ""] = git(["log", "-1", "--format=%H", "--", ...WORKER]).split("\n");
  const commit = git(["rev-parse", `${last}^`]).trim();
  const root = join(stack.dir, `last-version-${random.uuid().slice(0, 8)}`);
  mkdirSync(root);
  const archive = execFileSync("git", ["archive", commit], { cwd: ROOT, maxBuffer: 512 * 1024 * 1024 });
  execFileSync("tar", ["x", "-C", root], { input: archive });
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  return { root, commit };
}

function git(args: readonly string[]): string {
  return execFileSync("git", [...args], { cwd: ROOT, encoding: "utf8" });
}
