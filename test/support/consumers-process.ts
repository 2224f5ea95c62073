import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { onTestFinished } from "vitest";

import type { Config } from "../../platform/config.ts";
import { waitUntil } from "./wait-until.ts";

export interface ConsumersProcess {
  child: ChildProcess;
  /** Its log, line by line. */
  lines: { msg: string; consumer?: string; port?: number }[];
  /** Where its metrics are. */
  url: string;
  exited: Promise<number | null>;
}

/** `analytics/main.ts` as a process of its own, killed at the end of the test whatever happens. */
export async function startConsumersProcess(config: Config): Promise<ConsumersProcess> {
  const settings = { ...config, LIVORA_CONSUMERS_METRICS_PORT: 0, LIVORA_LOG_LEVEL: "info" };
  const env = Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)]));
  const child = spawn(process.execPath, ["analytics/main.ts"], { env: { ...process.env, ...env }, stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: ConsumersProcess["lines"] = [];
  createInterface(child.stdout).on("line", (line) => lines.push(JSON.parse(line)));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  await waitUntil(() => lines.some((line) => line.msg === "ready"));
  return { child, lines, url: `http://127.0.0.1:${lines.find((line) => line.msg === "ready")?.port}`, exited };
}
