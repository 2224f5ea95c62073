import { statSync } from "node:fs";
import { join } from "node:path";

import type { AskForLife } from "../hang.ts";
import { type ManagedProcess, startProcess, tailOf } from "../process.ts";
import { nodeBinary, ROOT } from "../paths.ts";
import { waitUntil } from "../ports.ts";

export interface PartOptions {
  /** The part's own folder: its data and its pid file. */
  dir: string;
  port: number;
  /** File that its output is appended to. */
  log: string;
}

/** One backing server of the embedded stack, as a child process. */
export interface Part extends ManagedProcess {
  url: string;
  /** Resolves once it answers in its own protocol; rejects, with the end of its log, where it ended instead. */
  ready(): Promise<void>;
  /** Resolves at any sign of life, be it a refusal; rejects or never settles where there is none. */
  speak: AskForLife;
}

/** A slow machine that is busy with something else takes its time. */
const READY_WITHIN_MS = 180_000;
const READY_CHECK_WITHIN_MS = 2_000;

export function pidFileOf(dir: string): string {
  return join(dir, "pid.json");
}

/** A server that is a script of ours round a library: `infra/local/children/<name>.ts`. */
export function startScript(name: string, options: PartOptions): Promise<ManagedProcess> {
  const script = join(ROOT, "infra/local/children", `${name}.ts`);
  const args = [script, join(options.dir, "data"), String(options.port)];
  return startProcess({
    name,
    command: nodeBinary(),
    args,
    cwd: ROOT,
    log: options.log,
    pidFile: pidFileOf(options.dir),
  });
}

export function logSizeOf(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0;
}

/** Adds what every part has in common to a process. */
export function toPart(
  child: ManagedProcess,
  url: string,
  options: PartOptions,
  isReady: (withinMs: number) => Promise<boolean>,
  logFrom = 0,
  speak: AskForLife = isReady,
): Part {
  const ready = async () => {
    try {
      await waitUntil(
        child.name,
        () => isReady(READY_CHECK_WITHIN_MS),
        READY_WITHIN_MS,
        () => !child.isAlive(),
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}; the end of ${options.log}:\n${tailOf(options.log, 12, logFrom)}`, {
        cause: error,
      });
    }
  };
  return { ...child, url, ready, speak };
}
