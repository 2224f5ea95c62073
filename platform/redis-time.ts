import type { Redis } from "ioredis";

/**
 * Redis' own clock, in epoch milliseconds: the one by which watermarks, stop hints and marks of sends are compared, since the
 * clocks of the machines that write and read them may be wrong. Throws where Redis is away.
 */
export async function readRedisTimeMs(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
