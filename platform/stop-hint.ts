import type { Redis } from "ioredis";

import { readRedisTimeMs } from "./redis-time.ts";

/** Longer than any send waits for the watermark. */
const KEPT_SECONDS = 600;

/**
 * Left by the edge before it answers `202` to an event that may end journeys: when the stream had acknowledged it, for each
 * key of its person. A send whose person has a hint newer than the watermark waits until the pipeline has passed it.
 */
export interface StopHint {
  clientId: string;
  /** `user:<user_id>` or `anon:<anon_id>`, as in `journey_runs.person_keys`. */
  personKey: string;
}

function stopHintKey({ clientId, personKey }: StopHint): string {
  return `livora:stop-hint:${clientId}:${personKey}`;
}

/** After the stream's acknowledgement, not before: a watermark of a time between the two has not seen these events. */
export async function setStopHints(redis: Redis, hints: readonly StopHint[], aheadMs = 0): Promise<void> {
  const pipeline = redis.pipeline();
  const atMs = (await readRedisTimeMs(redis)) + aheadMs;
  for (const hint of hints) pipeline.set(stopHintKey(hint), atMs, "EX", KEPT_SECONDS);
  const results = await pipeline.exec();
  const failed = results?.find(([error]) => error !== null);
  if (failed?.[0]) throw failed[0];
}

/** The newest hint of any of a person's keys, by Redis' clock in epoch milliseconds; null where there is none. */
export async function readStopHint(
  redis: Redis,
  clientId: string,
  personKeys: readonly string[],
): Promise<number | null> {
  if (personKeys.length === 0) return null;
  const values = await redis.mget(personKeys.map((personKey) => stopHintKey({ clientId, personKey })));
  const times = values.filter((value) => value !== null).map(Number);
  return times.length === 0 ? null : Math.max(...times);
}
