import { setTimeout as sleep } from "node:timers/promises";

import type { Report } from "./artifacts/artifact.ts";
import { hasHung, PATIENCE, type Patience, secondsOf } from "./hang.ts";
import type { Part } from "./parts/part.ts";
import { type Exit, signalProcess } from "./process.ts";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** Who was healthy this long is forgiven: only what dies as soon as it is up, or never comes up, is waited for longer. */
const STEADY_AFTER_MS = 1_000;

export interface Supervisor {
  /** Starts a part, resolves once it is healthy, and from then on starts it again whenever it dies or hangs. Rejects where the first start fails. */
  supervise(name: string, start: () => Promise<Part>): Promise<Part>;
  /** The process that stands for a part at the moment; undefined while it is down. */
  pidOf(name: string): number | undefined;
  restartsOf(name: string): number;
  /** Sends a signal without a word: what a crash is made of in tests. The part comes back by itself. */
  signal(name: string, signal: NodeJS.Signals): void;
  /** Ends these parts, together, and lets them rest. */
  stop(names: readonly string[]): Promise<void>;
  /** Nothing is waited for any more. */
  killAll(): void;
}

interface Ward {
  part: Part | undefined;
  healthySinceMs: number;
  restarts: number;
  isWanted: boolean;
  /** Resolves when watching has ended. */
  watching: Promise<void>;
}

export function createSupervisor(report: Report, patience: Patience = PATIENCE): Supervisor {
  const wards = new Map<string, Ward>();

  async function startWard(ward: Ward, start: () => Promise<Part>): Promise<Part> {
    const part = await start();
    if (!ward.isWanted) {
      await part.stop();
      throw new Error("stopped while it was starting");
    }
    ward.part = part;
    try {
      await part.ready();
      ward.healthySinceMs = Date.now();
      return part;
    } catch (error) {
      await part.stop();
      ward.part = undefined;
      throw error;
    }
  }

  async function watch(name: string, ward: Ward, start: () => Promise<Part>): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (ward.isWanted && ward.part) {
      const { code, signal } = await untilEnded(name, ward, ward.part);
      const livedMs = Date.now() - ward.healthySinceMs;
      ward.part = undefined;
      if (!ward.isWanted) return;
      report(`${name} ended unexpectedly (${signal ?? `code ${code}`}): starting it again`);
      if (livedMs > STEADY_AFTER_MS) pauseMs = FIRST_PAUSE_MS;
      while (ward.isWanted && !ward.part) {
        await sleep(pauseMs);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
        await restart(name, ward, start);
      }
    }
  }

  /** Who hangs is killed: what does not answer would not hear a polite signal either. */
  async function untilEnded(name: string, ward: Ward, part: Part): Promise<Exit> {
    const ended = new AbortController();
    void endHanging(name, ward, part, ended.signal);
    const exit = await part.exited;
    ended.abort();
    return exit;
  }

  async function endHanging(name: string, ward: Ward, part: Part, ended: AbortSignal): Promise<void> {
    if (!(await hasHung(part.speak, patience, ended)) || !ward.isWanted || !part.isAlive()) return;
    report(`${name} has not answered for ${secondsOf(patience)} s: ending it`);
    signalProcess(part.pid, "SIGKILL");
  }

  async function restart(name: string, ward: Ward, start: () => Promise<Part>): Promise<void> {
    if (!ward.isWanted) return;
    ward.restarts += 1;
    try {
      await startWard(ward, start);
      report(`${name} is back`);
    } catch (error) {
      if (ward.isWanted) report(`${name} did not come back: ${(error as Error).message}`);
    }
  }

  async function stopWard(ward: Ward): Promise<void> {
    ward.isWanted = false;
    await ward.part?.stop();
    await ward.watching;
    // It may have been on its way back.
    await ward.part?.stop();
  }

  return {
    async supervise(name, start) {
      const ward: Ward = {
        part: undefined,
        healthySinceMs: 0,
        restarts: 0,
        isWanted: true,
        watching: Promise.resolve(),
      };
      wards.set(name, ward);
      const part = await startWard(ward, start);
      ward.watching = watch(name, ward, start);
      return part;
    },
    pidOf: (name) => wards.get(name)?.part?.pid,
    restartsOf: (name) => wards.get(name)?.restarts ?? 0,
    signal(name, signal) {
      const pid = wards.get(name)?.part?.pid;
      if (pid !== undefined) signalProcess(pid, signal);
    },
    async stop(names) {
      await Promise.all(
        names
          .map((name) => wards.get(name))
          .filter((ward) => ward !== undefined)
          .map(stopWard),
      );
    },
    killAll() {
      for (const ward of wards.values()) {
        ward.isWanted = false;
        if (ward.part?.isAlive()) signalProcess(ward.part.pid, "SIGKILL");
      }
    },
  };
}
