import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { nodeBinary, ROOT } from "../paths.ts";
import { signalProcess } from "../process.ts";
import { isStandingStill, listTrees } from "../process-tree.ts";

export interface Freezer {
  /** Brings processes and all that descend from them to a standstill; resolves when not one thread of them runs. */
  freeze(pids: readonly number[]): Promise<void>;
  /** Lets these and their descendants go on for now. */
  wake(pids: readonly number[]): void;
  /** Wakes everyone, the last one first. */
  thaw(): Promise<void>;
}

const STILL_WITHIN_MS = 10_000;

/** Every process is announced to a guard before it is stopped: whatever becomes of us, they are woken (`children/thaw-guard.ts`). */
export function createFreezer(): Freezer {
  const guard = spawn(nodeBinary(), [join(ROOT, "infra/local/children/thaw-guard.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => guard.once("exit", () => resolve()));
  const heard = createInterface({ input: guard.stdout })[Symbol.asyncIterator]();

  async function stop(pid: number): Promise<void> {
    guard.stdin.write(`${pid}\n`);
    const { done } = await heard.next();
    if (done) throw new Error("the guard that wakes everyone has ended");
    signalProcess(pid, "SIGSTOP");
  }

  return {
    async freeze(pids) {
      const stopped = new Set<number>();
      const deadline = Date.now() + STILL_WITHIN_MS;
      for (;;) {
        const tree = listTrees(pids);
        const running = tree.filter((member) => !stopped.has(member));
        if (running.length === 0 && tree.every(isStandingStill)) return;
        // The parent first: it has no more children then.
        for (const member of running) await stop(member).then(() => stopped.add(member));
        const restless = tree.filter((member) => !isStandingStill(member));
        if (restless.length > 0 && Date.now() > deadline) {
          throw new Error(`process ${restless.join(", ")} does not come to a standstill`);
        }
        await sleep(2);
      }
    },
    wake(pids) {
      for (const member of listTrees(pids).toReversed()) signalProcess(member, "SIGCONT");
    },
    async thaw() {
      guard.stdin.end();
      await ended;
    },
  };
}
