import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import type { Config } from "../../platform/config.ts";

export interface EdgeProcess {
  port: number;
  child: ChildProcess;
  /** `kill -9`; resolves when it is gone. */
  kill9(): Promise<void>;
}

/** `ingest/main.ts` as a process of its own, on any free port. */
export async function startEdgeProcess(config: Config): Promise<EdgeProcess> {
  const settings = { ...config, LIVORA_INGEST_PORT: 0, LIVORA_LOG_LEVEL: "info" };
  const env = Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)]));
  const child = spawn(process.execPath, ["ingest/main.ts"], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await readPort(child);
  return {
    port,
    child,
    async kill9() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function readPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the edge ended with ${code}`)));
    // Read to the end, or the edge would stand still once the pipe is full.
    createInterface({ input: child.stdout ?? process.stdin }).on("line", (line) => {
      const said = JSON.parse(line) as { msg: string; port?: number };
      if (said.msg === "ready") resolve(said.port ?? 0);
    });
  });
}
