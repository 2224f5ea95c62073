import { Redis } from "ioredis";
import { setTimeout as sleep } from "node:timers/promises";

import type { Scenario } from "../scenario.ts";

const TIMES = 10;

/** A cache is a cache. */
export const redisEmptied: Scenario = {
  name: "redis-emptied",
  fault: "Redis is emptied, ten times in ten seconds",
  invariant: "nothing lost, nothing doubled, nothing after a purchase",
  async run(scene) {
    const redis = new Redis(scene.stack.config.LIVORA_REDIS_URL);
    try {
      void scene.letIn(12);
      for (let time = 0; time < TIMES; time++) {
        await sleep(1_000);
        await redis.flushall();
      }
    } finally {
      redis.disconnect();
    }
    await scene.recover(Date.now());
  },
};
