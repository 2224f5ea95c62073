import { type ChildProcess, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { makeTemporaryFolder } from "../../infra/local/temporary-folder.ts";
import type { Config } from "../../platform/config.ts";
import { waitUntil } from "./wait-until.ts";

const WORKER = new URL("dead-letters-worker.ts", import.meta.url).pathname;

/** The worker of dead letters in processes of its own, one at a time. */
export function createLetterWorkers(config: Config) {
  const folder = makeTemporaryFolder();
  const file = join(folder, "config.json");
  writeFileSync(file, JSON.stringify(config));
  const children: ChildProcess[] = [];

  return {
    /** Until it says a word: `deaf` when it has got stuck where `flaw` says (see dead-letters-worker.ts). */
    async start(until: "ready" | "deaf" = "ready", flaw?: number | "unbooked"): Promise<ChildProcess> {
      const args = [WORKER, file, ...(flaw === undefined ? [] : [String(flaw)])];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      children.push(child);
      let said = "";
      child.stdout.on("data", (data: Buffer) => (said += data.toString()));
      await waitUntil(() => said.includes(until), { timeoutMs: 60_000, what: `the worker says ${until}` });
      return child;
    },
    /** Kills it, at once. */
    async stop(): Promise<void> {
      for (const child of children.splice(0)) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGKILL");
        await ended;
      }
    },
    async close(): Promise<void> {
      await this.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
