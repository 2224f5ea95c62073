import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { readManifest } from "../../infra/local/backup/manifest.ts";
import { nodeBinary, ROOT } from "../../infra/local/paths.ts";

const run = promisify(execFile);

/** As people start it. */
function command(name: "backup" | "restore", dir: string, args: readonly string[]): Promise<{ stdout: string }> {
  const script = join(ROOT, "infra/local/backup", `${name}.ts`);
  return run(nodeBinary(), [script, ...args], { cwd: ROOT, env: { ...process.env, LIVORA_DATA_DIR: dir } });
}

/** When everything stood still; epoch ms. */
export interface Standstill {
  beganMs: number;
  endedMs: number;
}

/** `npm run backup` of the Livora in `dir`; prints what it says. */
export async function backUp(dir: string, target: string): Promise<Standstill> {
  const { stdout } = await command("backup", dir, [target]);
  console.log(stdout.trim());
  const { barrier_at, held_ms } = await readManifest(target);
  return { beganMs: Date.parse(barrier_at), endedMs: Date.parse(barrier_at) + held_ms };
}

/** `npm run restore` into `dir`; rejects, with what it said, where it refuses. */
export async function restoreInto(dir: string, backup: string, options: { stream?: string } = {}): Promise<void> {
  const { stdout } = await command("restore", dir, [backup, ...(options.stream ? ["--stream", options.stream] : [])]);
  console.log(stdout.trim());
}
