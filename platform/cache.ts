import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Redis } from "ioredis";

import type { Context } from "./context.ts";
import { withTimeout } from "./with-timeout.ts";

/** How long what was computed may be handed out. */
export interface CachePolicy {
  /** As it is. */
  freshMs: number;
  /** At all: after `freshMs` it is still handed out, and computed anew meanwhile. */
  keptMs: number;
}

export interface Cached<T> {
  value: T;
  outcome: "hit" | "stale" | "computed";
  /** How much longer it is fresh. */
  freshForMs: number;
}

/** What is kept, and where: `key` need only be unique among the client's. */
interface Question<T> {
  clientId: string;
  key: string;
  policy: CachePolicy;
  compute(): Promise<T>;
  /** As text; undefined for what is not to be kept. */
  encode(value: T): string | undefined;
  decode(text: string): T;
}

export interface Cache {
  /** What is kept, or else what `compute` answers; what it throws is thrown to all who wait for it, and not kept. */
  fetch<T>(question: Question<T>): Promise<Cached<T>>;
}

const PREFIX = "livora:cache";
/** Whoever computes has this long before others stop waiting for it. */
const LOCK_MS = 10_000;
const LOOK_EVERY_MS = 20;
/** A store that has not answered by then is away, and is left alone for a while. */
const PATIENCE_MS = 2_000;
const REST_MS = 1_000;
/** Longer answers are computed each time. */
const MAX_TEXT = 4 * 1024 * 1024;

const UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

/**
 * Answers in Redis, for all processes. What is kept carries the client's **generation**, and counts only while that is still the
 * same. It is read before computing begins, so what was computed from older data is never taken for newer, however late it is written:
 * a message to listeners could be missed, this cannot. A generation is a random name: a Redis that was emptied forgets both.
 *
 * Of those who miss at once, one computes: within the process they share a promise, between processes a lock. A Redis that is
 * away or slow costs nobody their answer: it is computed, once for each process at a time.
 */
export function createCache(
  { redis, log }: Pick<Context, "redis" | "log">,
  { patienceMs = PATIENCE_MS }: { patienceMs?: number } = {},
): Cache {
  const flights = new Map<string, Promise<unknown>>();
  let restsUntilMs = 0;

  /** Undefined where Redis does not answer. */
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    if (performance.now() < restsUntilMs) return undefined;
    try {
      return await withTimeout(work, patienceMs, "Redis");
    } catch (error) {
      restsUntilMs = performance.now() + REST_MS;
      log.warn({ err: error instanceof Error ? error.message : String(error) }, "answers are not cached");
      return undefined;
    }
  };
  const look = ({ clientId, key }: Place) => attempt(() => readPlace(redis, clientId, key));

  /** Without a lock, for those who cannot have one. */
  const computeAndKeep = async <T>(question: Question<T>, generation: string | undefined): Promise<T> => {
    const value = await question.compute();
    const text = generation === undefined ? undefined : question.encode(value);
    if (text !== undefined && text.length <= MAX_TEXT) {
      const place = placeOf(question.clientId, question.key);
      // Nobody waits for it: Redis takes a connection's commands in order, so who looks after this finds it.
      void attempt(() => redis.set(place, `${generation}\n${text}`, "PX", question.policy.keptMs));
    }
    return value;
  };

  /** One of all processes computes; the others wait for what it keeps. Undefined: another computes already, and `isPatient` is not. */
  const compute = async <T>(
    question: Question<T>,
    generation: string | undefined,
    isPatient: boolean,
  ): Promise<T | undefined> => {
    if (generation === undefined) return question.compute();
    const lock = `${placeOf(question.clientId, question.key)}:${generation}`;
    const token = randomUUID();
    // Looked at once more with the lock: another may have kept it since our first look.
    const locking = attempt(() => redis.set(lock, token, "PX", LOCK_MS, "NX"));
    const [locked, seen] = await Promise.all([locking, look(question)]);
    if (locked === "OK") {
      try {
        if (isPatient && seen?.text !== undefined) return question.decode(seen.text);
        return await computeAndKeep(question, seen?.generation);
      } finally {
        void attempt(() => redis.eval(UNLOCK, 1, lock, token));
      }
    }
    if (!isPatient) return undefined;
    // Whoever computes may fail, or answer what is not to be kept: then the lock goes and nothing is there.
    while ((await attempt(() => redis.exists(lock))) === 1) {
      await sleep(LOOK_EVERY_MS);
      const kept = await look(question);
      if (kept?.text !== undefined) return question.decode(kept.text);
    }
    const kept = await look(question);
    return kept?.text === undefined ? computeAndKeep(question, kept?.generation) : question.decode(kept.text);
  };

  const fly = <T>(
    question: Question<T>,
    generation: string | undefined,
    isPatient: boolean,
  ): Promise<T | undefined> => {
    const name = `${question.clientId} ${question.key} ${generation ?? ""} ${isPatient}`;
    const flight = flights.get(name) ?? compute(question, generation, isPatient).finally(() => flights.delete(name));
    flights.set(name, flight);
    return flight as Promise<T | undefined>;
  };

  return {
    async fetch(question) {
      const { policy } = question;
      const seen = await look(question);
      if (seen?.text === undefined) {
        const value = (await fly(question, seen?.generation, true))!;
        return { value, outcome: "computed", freshForMs: policy.freshMs };
      }
      const freshForMs = Math.max(0, seen.leftMs - (policy.keptMs - policy.freshMs));
      if (freshForMs === 0) {
        fly(question, seen.generation, false).catch((error: unknown) => {
          log.warn({ err: error instanceof Error ? error.message : String(error) }, "a cached answer is not renewed");
        });
      }
      return { value: question.decode(seen.text), outcome: freshForMs > 0 ? "hit" : "stale", freshForMs };
    },
  };
}

/** From now on nothing counts that was kept for the client. After what it is made of has been committed. Throws where Redis is away. */
export async function forgetCached(redis: Redis, clientId: string): Promise<void> {
  await redis.set(generationOf(clientId), randomUUID());
}

interface Place {
  clientId: string;
  key: string;
}

interface Seen {
  generation: string;
  /** Undefined where there is nothing that counts. */
  text: string | undefined;
  leftMs: number;
}

/** One round trip, but for a client that has no generation yet. Ages are told by Redis' own clock. */
async function readPlace(redis: Redis, clientId: string, key: string): Promise<Seen> {
  const place = placeOf(clientId, key);
  const results = await redis.pipeline().mget(generationOf(clientId), place).pttl(place).exec();
  const failed = results?.find(([error]) => error !== null)?.[0];
  if (!results || failed) throw failed ?? new Error("Redis has not answered");
  const [[, values], [, leftMs]] = results as [[null, (string | null)[]], [null, number]];
  const [generation, kept] = values as [string | null, string | null];
  if (generation === null) return { generation: await beginGeneration(redis, clientId), text: undefined, leftMs: 0 };
  const isOurs = kept?.startsWith(`${generation}\n`) ?? false;
  return { generation, text: isOurs ? kept!.slice(generation.length + 1) : undefined, leftMs };
}

/** Whoever comes first names it. */
async function beginGeneration(redis: Redis, clientId: string): Promise<string> {
  const name = randomUUID();
  return (await redis.set(generationOf(clientId), name, "NX", "GET")) ?? name;
}

/** The braces keep a client's keys together, also in a cluster. */
function generationOf(clientId: string): string {
  return `${PREFIX}:{${clientId}}:generation`;
}

function placeOf(clientId: string, key: string): string {
  return `${PREFIX}:{${clientId}}:answer:${key}`;
}
