import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

export interface Disturbance {
  /** The process goes on undisturbed. */
  stop(): Promise<void>;
}

/** System calls of a running process fail as strace's `inject=` expressions say. */
export async function disturb(pid: number | null, expressions: readonly string[]): Promise<Disturbance> {
  if (pid === null) throw new Error("there is no process to disturb");
  const flags = expressions.flatMap((expression) => ["-e", expression]);
  const strace = spawn("strace", ["-f", "-qq", "-p", String(pid), "-o", "/dev/null", ...flags], { stdio: "ignore" });
  const ended = once(strace, "exit");
  await sleep(500);
  if (strace.exitCode !== null) throw new Error(`strace ended with ${strace.exitCode}`);
  return {
    async stop() {
      strace.kill("SIGINT");
      await ended;
    },
  };
}
