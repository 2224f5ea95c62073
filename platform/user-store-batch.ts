import { AppError } from "../core/errors.ts";
import { advanceFence, isAfterFence, type Place } from "../core/fence.ts";
import type { LruMap } from "../core/lru.ts";
import { comparePlaces } from "../core/position.ts";
import { inParallel } from "./in-parallel.ts";
import { ABSENT, itemName, type ItemKey, type StoredItem, type UserStore } from "./user-store.ts";

const PARALLEL_WRITES = 32;
const TRIES = 10;

/** What lies in the store, as it was last seen; a write finds out where that is out of date. */
export type ItemCache = LruMap<string, StoredItem>;

/** Where a change comes from: its lane and place say whether an item has taken it in already. */
export interface Origin {
  lane: number;
  place: Place;
}

export interface Change<T> {
  data: T;
  expiresAt?: number | null;
  index?: StoredItem["index"];
}

/**
 * The items that a batch of events touches: read together, changed in memory, each written once. A change is a pure
 * function of the item before, so it can be made again where someone else wrote meanwhile.
 */
export interface UserBatch {
  load(keys: readonly ItemKey[]): Promise<void>;
  /** The item as it is after the changes so far; it must have been loaded. */
  get<T>(key: ItemKey): T | undefined;
  /** Not made where the item has taken in this event, or a later one of its lane, before. One change for each event. */
  change<T>(key: ItemKey, origin: Origin, make: (before: T | undefined) => Change<T>): void;
  /** The same, and `retract` leaves it as it is: what happened to an event, wherever that ends. */
  changeForGood<T>(key: ItemKey, origin: Origin, make: (before: T | undefined) => Change<T>): void;
  /** Takes back what an event has changed so far: it turned out that it cannot be processed. */
  retract(origin: Origin): void;
  /** Makes all changes durable; throws `unavailable` where that cannot be done now. */
  flush(): Promise<{ written: number; conflicts: number }>;
}

interface Touched {
  key: ItemKey;
  /** As read. */
  base: StoredItem;
  /** After the changes. */
  now: StoredItem;
  changes: { origin: Origin; make: (before: never) => Change<unknown>; isForGood: boolean }[];
  isChanged: boolean;
}

export function createUserBatch(store: UserStore, cache: ItemCache): UserBatch {
  const items = new Map<string, Touched>();
  async function load(keys: readonly ItemKey[]): Promise<void> {
    const missing = new Map<string, ItemKey>();
    for (const key of keys) {
      const name = itemName(key);
      if (items.has(name) || missing.has(name)) continue;
      const cached = cache.get(name);
      if (cached) items.set(name, { key, base: cached, now: cached, changes: [], isChanged: false });
      else missing.set(name, key);
    }
    const wanted = [...missing.values()];
    const found = wanted.length === 0 ? [] : await store.read(wanted);
    for (const [at, key] of wanted.entries()) {
      const now = found[at] ?? ABSENT;
      cache.set(itemName(key), now);
      items.set(itemName(key), { key, base: now, now, changes: [], isChanged: false });
    }
  }

  function touched(key: ItemKey): Touched {
    const item = items.get(itemName(key));
    if (!item) throw new AppError("internal", `${key.sort} was not loaded`);
    return item;
  }

  function change(key: ItemKey, origin: Origin, make: (before: never) => Change<unknown>, isForGood: boolean): void {
    const item = touched(key);
    const change = { origin, make, isForGood };
    item.changes.push(change);
    makeChange(item, change);
  }

  async function flush(): Promise<{ written: number; conflicts: number }> {
    let open = [...items.values()].filter((item) => item.isChanged);
    const written = open.length;
    let conflicts = 0;
    for (let attempt = 0; open.length > 0; attempt++) {
      if (attempt === TRIES)
        throw new AppError("unavailable", `${open.length} items are written by others all the time`);
      open = await writeAll(open);
      conflicts += open.length;
      await renew(open);
      open = open.filter((item) => item.isChanged);
    }
    return { written, conflicts };
  }

  /** Answers those that someone else has written since they were read. */
  async function writeAll(open: readonly Touched[]): Promise<Touched[]> {
    const lost: Touched[] = [];
    await inParallel(open, PARALLEL_WRITES, async (item) => {
      const name = itemName(item.key);
      if (!(await replaceOrForget(item, name))) return void lost.push(item);
      item.base = item.now = { ...item.now, version: item.now.version + 1 };
      item.isChanged = false;
      item.changes = [];
      cache.set(name, item.now);
    });
    return lost;
  }

  /** After a failure nobody knows what lies in the store. */
  async function replaceOrForget(item: Touched, name: string): Promise<boolean> {
    try {
      return await store.replace(item.key, item.now);
    } catch (error) {
      cache.delete(name);
      throw error;
    }
  }

  async function renew(lost: readonly Touched[]): Promise<void> {
    if (lost.length === 0) return;
    const found = await store.read(lost.map((item) => item.key));
    for (const [at, item] of lost.entries()) {
      remake(item, found[at] ?? ABSENT);
      cache.set(itemName(item.key), item.base);
    }
  }

  return {
    load,
    get: <T>(key: ItemKey) => touched(key).now.data as T | undefined,
    change: (key, origin, make) => change(key, origin, make, false),
    changeForGood: (key, origin, make) => change(key, origin, make, true),
    retract(origin) {
      for (const item of items.values()) {
        const rest = item.changes.filter((change) => change.isForGood || !isSameOrigin(change.origin, origin));
        if (rest.length === item.changes.length) continue;
        item.changes = rest;
        remake(item, item.base);
      }
    },
    flush,
  };
}

function remake(item: Touched, base: StoredItem): void {
  item.base = item.now = base;
  item.isChanged = false;
  for (const change of item.changes) makeChange(item, change);
}

function isSameOrigin(a: Origin, b: Origin): boolean {
  return a.lane === b.lane && comparePlaces(a.place, b.place) === 0;
}

function makeChange(item: Touched, { origin, make }: Touched["changes"][number]): void {
  const { now } = item;
  if (!isAfterFence(now.fences, origin.lane, origin.place)) return;
  const { data, expiresAt = null, index = null } = make(now.data as never);
  const fences = advanceFence(now.fences, origin.lane, origin.place);
  item.now = { data, fences, version: now.version, expiresAt, index };
  item.isChanged = true;
}
