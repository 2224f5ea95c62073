import { setTimeout as sleep } from "node:timers/promises";

import type { Redis } from "ioredis";

import { readWatermark } from "../../platform/watermark.ts";

const POLL_MS = 250;

/**
 * Everything that the stream "events" acknowledged before this moment (epoch milliseconds) has its receipt, and is in the lake
 * or explained, if all is well. 0 where that is not known. Throws where Redis is away.
 */
async function readSettled(redis: Redis): Promise<number> {
  // The lake's follows the enrichment's.
  return Math.min(await readWatermark(redis, "receipts"), await readWatermark(redis, "lake"));
}

/** How far it has come, once that is `untilMs` or waiting has taken too long. */
export async function waitUntilSettled(redis: Redis, untilMs: number, patienceMs: number): Promise<number> {
  const deadlineMs = Date.now() + patienceMs;
  for (;;) {
    const settledMs = await readSettled(redis);
    if (settledMs >= untilMs || Date.now() >= deadlineMs) return settledMs;
    await sleep(POLL_MS);
  }
}
