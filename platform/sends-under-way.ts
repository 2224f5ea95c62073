import { setTimeout as sleep } from "node:timers/promises";

import type { Redis } from "ioredis";

import { readRedisTimeMs } from "./redis-time.ts";

/**
 * The counterpart of the stop hint. A worker marks a person, then looks for hints, then hands the message over; the edge
 * leaves its hint, then looks for marks, then answers. Redis puts the two in one order: either the worker sees the hint
 * and waits for the pipeline, or the edge sees the mark and answers after the message is out. So no message is younger
 * than the `202` of the event that should have stopped it.
 */
export interface PersonKeys {
  clientId: string;
  /** `user:<user_id>` or `anon:<anon_id>`, as in `journey_runs.person_keys`. */
  personKeys: readonly string[];
}

/** A provider's answer takes no longer; a mark that a dead worker left is gone after that. */
const MARK_MS = 12_000;
const POLL_MS = 5;
const MARKS = "livora:sending:";

export async function markSend(redis: Redis, person: PersonKeys, sendId: string): Promise<void> {
  const goneAtMs = (await readRedisTimeMs(redis)) + MARK_MS;
  const pipeline = redis.pipeline();
  for (const key of markKeys(person)) pipeline.zadd(key, goneAtMs, sendId).pexpire(key, MARK_MS);
  throwFirst(await pipeline.exec());
}

export async function unmarkSend(redis: Redis, person: PersonKeys, sendId: string): Promise<void> {
  const pipeline = redis.pipeline();
  for (const key of markKeys(person)) pipeline.zrem(key, sendId);
  throwFirst(await pipeline.exec());
}

/** Resolves once no message to this person is being handed over, or after `timeoutMs`; answers whether none was left. */
export async function waitForSends(redis: Redis, person: PersonKeys, timeoutMs: number): Promise<boolean> {
  const startedAt = performance.now();
  while (await isSending(redis, person)) {
    if (performance.now() - startedAt > timeoutMs) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Whether any message to anybody is being handed over. */
export async function isAnySendUnderWay(redis: Redis): Promise<boolean> {
  for await (const keys of redis.scanStream({ match: `${MARKS}*`, count: 1_000 }) as AsyncIterable<string[]>) {
    if (keys.length > 0 && (await areMarked(redis, keys))) return true;
  }
  return false;
}

function isSending(redis: Redis, person: PersonKeys): Promise<boolean> {
  return areMarked(redis, markKeys(person));
}

async function areMarked(redis: Redis, keys: readonly string[]): Promise<boolean> {
  const nowMs = await readRedisTimeMs(redis);
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.zcount(key, nowMs, "+inf");
  const results = await pipeline.exec();
  throwFirst(results);
  return (results ?? []).some(([, count]) => Number(count) > 0);
}

function markKeys({ clientId, personKeys }: PersonKeys): string[] {
  return personKeys.map((personKey) => `${MARKS}${clientId}:${personKey}`);
}

function throwFirst(results: [Error | null, unknown][] | null): void {
  const failed = results?.find(([error]) => error !== null);
  if (failed?.[0]) throw failed[0];
}
