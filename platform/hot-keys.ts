import { randomUUID } from "node:crypto";

import type { Redis } from "ioredis";
import { Gauge, type Registry } from "prom-client";

import { createHeavyHitters, type HeavyHitters } from "../core/heavy-hitters.ts";

/** `stream`: what a lane carries, in bytes, by partition key. `user_store`: write units of DynamoDB, by partition. */
export const HOT_DIMENSIONS = ["stream", "user_store"] as const;
export type HotDimension = (typeof HOT_DIMENSIONS)[number];

export interface HotKey {
  client_id: string;
  key: string;
  per_s: number;
  /** Of everything in this dimension. */
  share: number;
}

export interface HotKeyWatch {
  note(dimension: HotDimension, clientId: string, key: string, weight: number): void;
  /** At least so much a second, lately; 0 where the key is not among the heavy. */
  rateOf(dimension: HotDimension, clientId: string, key: string): number;
  top(dimension: HotDimension): HotKey[];
  /** Puts what is hot where the API sees it. */
  publish(): Promise<void>;
}

/** A tenth of a percent of the load or more is found for certain; 1,000 keys are about 200 kB. */
const CAPACITY = 1_000;
const SHOWN = 20;
const WINDOW_MS = 30_000;
/** A window that has just begun says nothing yet. */
const LEAST_SECONDS = 5;
const FORGOTTEN_AFTER_MS = 60_000;

/** What one process sees of hot keys: over the present window and the one before. */
export function createHotKeyWatch(redis: Redis, registry?: Registry, now: () => number = Date.now): HotKeyWatch {
  const instance = randomUUID();
  const watched = new Map(HOT_DIMENSIONS.map((dimension) => [dimension, createWindows(now)]));
  const windowsOf = (dimension: HotDimension) => watched.get(dimension) as Windows;

  function top(dimension: HotDimension): HotKey[] {
    const windows = windowsOf(dimension);
    const { seconds, total } = windows.span();
    return windows.heaviest().map(({ key, weight }) => {
      const [client_id = "", ...rest] = key.split("\n");
      return { client_id, key: rest.join("\n"), per_s: weight / seconds, share: total === 0 ? 0 : weight / total };
    });
  }

  if (registry) registerMetrics(registry, top);
  return {
    note: (dimension, clientId, key, weight) => windowsOf(dimension).add(`${clientId}\n${key}`, weight),
    rateOf(dimension, clientId, key) {
      const windows = windowsOf(dimension);
      return windows.weightOf(`${clientId}\n${key}`) / windows.span().seconds;
    },
    top,
    async publish() {
      const entries = HOT_DIMENSIONS.map((dimension) => [dimension, top(dimension)]);
      const seen = { at_ms: now(), ...Object.fromEntries(entries) };
      await redis.hset(KEY, instance, JSON.stringify(seen));
      await redis.pexpire(KEY, FORGOTTEN_AFTER_MS);
      const gone = Object.entries(await redis.hgetall(KEY)).filter(([, text]) => isForgotten(parse(text), now()));
      if (gone.length > 0) await redis.hdel(KEY, ...gone.map(([name]) => name));
    },
  };
}

const KEY = "livora:hot-keys";

type Published = { at_ms: number } & Partial<Record<HotDimension, HotKey[]>>;

/** What all processes have seen in the last minute, heaviest first. Throws where Redis is away. */
export async function readHotKeys(redis: Redis, nowMs = Date.now()): Promise<Record<HotDimension, HotKey[]>> {
  const published = Object.values(await redis.hgetall(KEY))
    .map(parse)
    .filter((one) => !isForgotten(one, nowMs));
  const merge = (dimension: HotDimension) =>
    published
      .flatMap((one) => one[dimension] ?? [])
      .toSorted((a, b) => b.per_s - a.per_s)
      .slice(0, SHOWN);
  return { stream: merge("stream"), user_store: merge("user_store") };
}

function parse(text: string): Published {
  return JSON.parse(text) as Published;
}

function isForgotten({ at_ms }: Published, nowMs: number): boolean {
  return at_ms < nowMs - FORGOTTEN_AFTER_MS;
}

type Windows = ReturnType<typeof createWindows>;

function createWindows(now: () => number) {
  let begunAtMs = now();
  let current: HeavyHitters = createHeavyHitters(CAPACITY);
  let before: HeavyHitters | null = null;

  function turn(): void {
    const ageMs = now() - begunAtMs;
    if (ageMs < WINDOW_MS) return;
    before = ageMs < 2 * WINDOW_MS ? current : null;
    current = createHeavyHitters(CAPACITY);
    begunAtMs = ageMs < 2 * WINDOW_MS ? begunAtMs + WINDOW_MS : now();
  }

  /** What it weighs for certain. */
  function weightOf(key: string): number {
    return [current, before].reduce((sum, sketch) => {
      const found = sketch?.find(key);
      return sum + (found ? found.weight - found.error : 0);
    }, 0);
  }

  return {
    add(key: string, weight: number): void {
      turn();
      current.add(key, weight);
    },
    weightOf,
    span() {
      turn();
      const seconds = Math.max(LEAST_SECONDS, (now() - begunAtMs + (before ? WINDOW_MS : 0)) / 1000);
      return { seconds, total: current.total + (before?.total ?? 0) };
    },
    heaviest() {
      turn();
      const keys = new Set([current, before].flatMap((sketch) => sketch?.top(SHOWN) ?? []).map(({ key }) => key));
      const weighed = [...keys].map((key) => ({ key, weight: weightOf(key) })).filter(({ weight }) => weight > 0);
      return weighed.toSorted((a, b) => b.weight - a.weight).slice(0, SHOWN);
    },
  };
}

/** Never the key itself: it is somebody's, and there are endlessly many. The API tells it to operators. */
function registerMetrics(registry: Registry, top: (dimension: HotDimension) => HotKey[]): void {
  const gauge = (name: string, help: string, read: (key: HotKey | undefined) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ["dimension"],
      registers: [registry],
      collect() {
        for (const dimension of HOT_DIMENSIONS) this.set({ dimension }, read(top(dimension)[0]));
      },
    });
  gauge("livora_hot_key_share", "Share of the load that the heaviest key has", (key) => key?.share ?? 0);
  gauge("livora_hot_key_per_second", "What the heaviest key carries: bytes, or write units", (key) => key?.per_s ?? 0);
}
