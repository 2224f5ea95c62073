import { type Counts, minuteOf } from "../core/counters.ts";
import { type LiveDay, type LiveHour, readLiveHour, utcDayOf } from "../core/live-hour.ts";
import { laneOf } from "../core/position.ts";
import { sumCounts } from "../core/sum-counts.ts";
import { MINUTE_MS } from "../core/time.ts";
import { inParallel } from "./in-parallel.ts";
import type { ItemKey, UserStore } from "./user-store.ts";

const PARALLEL_READS = 8;
/** A mark where the counts of a shard would lie: they lie in a partition of their own. No counts are an array. */
const SPREAD = ["spread"] as const;

/** One item for each client, minute or day, and shard, so that no two consumers write the same one. */
export function counterKey(client: string, time: string, shard: string): ItemKey {
  return { client, kind: "COUNTER", owner: time, sort: `SHARD#${shard}` };
}

/**
 * The same item where the minute is hot: its partition is named after the minute and a hash of the shard, so that the
 * shards write to up to sixteen partitions instead of one.
 */
export function spreadKey(key: ItemKey): ItemKey {
  return { ...key, owner: `${key.owner}~${laneOf(key.sort)}` };
}

/** What stands at the usual place of counts that are spread. */
export function spreadMark(): readonly string[] {
  return SPREAD;
}

export function isSpread(data: unknown): boolean {
  return Array.isArray(data);
}

/** What a client's events were, by type, in each minute from `from` up to and including `to` (ISO 8601 UTC). */
export async function readLiveCounters(
  store: Pick<UserStore, "list" | "read">,
  clientId: string,
  range: { from: string; to: string },
): Promise<{ minute: string; counts: Counts }[]> {
  const minutes: string[] = [];
  for (let at = Date.parse(minuteOf(range.from)); at <= Date.parse(range.to); at += MINUTE_MS) {
    minutes.push(minuteOf(new Date(at).toISOString()));
  }
  const found = new Map<string, Counts>();
  await inParallel(minutes, PARALLEL_READS, async (minute) => {
    found.set(minute, await readMinute(store, clientId, minute));
  });
  return minutes.map((minute) => ({ minute, counts: found.get(minute) ?? {} }));
}

/** What a client's events were in each of some hours, by the first millisecond of each. */
export async function readLiveHours(
  store: Pick<UserStore, "list" | "read">,
  clientId: string,
  hoursMs: readonly number[],
): Promise<Map<number, LiveHour>> {
  const days = Map.groupBy(hoursMs, (ms) => utcDayOf(new Date(ms).toISOString()));
  const found = new Map<number, LiveHour>();
  await inParallel([...days], PARALLEL_READS, async ([day, ofDay]) => {
    const shards = await readShards<LiveDay>(store, clientId, day);
    for (const ms of ofDay) found.set(ms, readLiveHour(shards, new Date(ms).getUTCHours()));
  });
  return found;
}

async function readMinute(store: Pick<UserStore, "list" | "read">, client: string, owner: string): Promise<Counts> {
  return sumCounts(await readShards<Counts>(store, client, owner));
}

/** What each shard has counted. One query; where some are spread, one more read. */
async function readShards<T>(store: Pick<UserStore, "list" | "read">, client: string, owner: string): Promise<T[]> {
  const partition = { client, kind: "COUNTER", owner } as const;
  const items = await store.list(partition, "SHARD#");
  const spread = items.filter(({ item }) => isSpread(item.data));
  const elsewhere =
    spread.length === 0 ? [] : await store.read(spread.map(({ sort }) => spreadKey({ ...partition, sort })));
  const here = items.filter(({ item }) => !isSpread(item.data)).map(({ item }) => item);
  return [...here, ...elsewhere].map((item) => (item.data ?? {}) as T);
}
