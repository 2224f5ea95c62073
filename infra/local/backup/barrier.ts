import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Redis } from "ioredis";

import { isAnySendUnderWay } from "../../../platform/sends-under-way.ts";
import { BACKING_PARTS } from "../backing.ts";
import { findRunning } from "../process.ts";
import { SERVICE_NAMES } from "../services.ts";
import { createFreezer, type Freezer } from "./freeze.ts";

export interface Barrier {
  /** ISO 8601: everything acknowledged before is in the stores. */
  at: string;
  sendsUnderWay: boolean;
  /** Everything goes on; answers how long it stood still, milliseconds. */
  lift(): Promise<number>;
}

/** A moment at which nothing is being sent comes by itself; who sends without a pause is not waited for longer. */
const QUIET_WITHIN_MS = 5_000;

/**
 * Brings the whole stack to a standstill: first the workers, at a moment when no message is on its way to a provider, then
 * everyone else, in any order: who stands still says nothing more to those who do not yet. What lies on the disk then is
 * what a `kill -9` of everything at that moment would leave. The supervisor too, with all that it may just have started.
 */
export async function raiseBarrier(dir: string): Promise<Barrier> {
  const pidOf = (part: string) => findRunning(join(dir, part, "pid.json"));
  const freezer = createFreezer();
  let beganMs = Date.now();
  try {
    const workers = pidOf("workers");
    const sendsUnderWay =
      workers !== null && !(await freezeBetweenSends(freezer, workers, dir, () => (beganMs = Date.now())));
    const others = [...SERVICE_NAMES, ...BACKING_PARTS].map(pidOf);
    const supervisor = findRunning(join(dir, "lock.json"));
    await freezer.freeze([...others, supervisor].filter((pid) => pid !== null && pid !== process.pid) as number[]);
    return {
      at: new Date(beganMs).toISOString(),
      sendsUnderWay,
      async lift() {
        await freezer.thaw();
        return Date.now() - beganMs;
      },
    };
  } catch (error) {
    await freezer.thaw();
    throw error;
  }
}

/** Whether the workers stand still with nothing on its way; else they stand still all the same. */
async function freezeBetweenSends(freezer: Freezer, workers: number, dir: string, began: () => void): Promise<boolean> {
  const redis = new Redis({
    port: redisPort(dir),
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on("error", () => {});
  const deadline = Date.now() + QUIET_WITHIN_MS;
  try {
    for (;;) {
      began();
      await freezer.freeze([workers]);
      // Without Redis nothing is sent.
      if (!(await isAnySendUnderWay(redis).catch(() => false))) return true;
      if (Date.now() > deadline) return false;
      freezer.wake([workers]);
      await sleep(5 + Math.random() * 20);
    }
  } finally {
    redis.disconnect();
  }
}

function redisPort(dir: string): number {
  const [, port] = /^port (\d+)$/m.exec(readFileSync(join(dir, "redis", "redis.conf"), "utf8")) ?? [];
  return Number(port);
}
