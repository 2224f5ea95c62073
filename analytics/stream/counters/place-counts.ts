import { AppError } from "../../../core/errors.ts";
import type { HotKeyWatch } from "../../../platform/hot-keys.ts";
import { isSpread, spreadKey, spreadMark } from "../../../platform/live-counters.ts";
import type { ItemCache, UserBatch } from "../../../platform/user-store-batch.ts";
import { ABSENT, itemName, type ItemKey, type UserStore } from "../../../platform/user-store.ts";

/**
 * A partition of DynamoDB takes 1,000 write units a second, and every shard's consumer writes to that of the minute; a
 * process sees its own part only.
 */
export const SPREAD_ABOVE_UNITS_PER_S = 250;

export interface Placing {
  store: UserStore;
  cache: ItemCache;
  watch: Pick<HotKeyWatch, "rateOf"> | null;
  spreadAbove: number;
  expiresAt: number;
}

/**
 * Where the counts of a client, minute and shard lie: at the usual place, or, where the client is hot when its first are
 * written, in a partition of their own, with a mark at the usual place. Whoever was there first has decided: a batch that is tried
 * again, by whomever, finds the same place, or it would count twice.
 */
export async function placeCounts(placing: Placing, items: UserBatch, keys: readonly ItemKey[]): Promise<PlaceOf> {
  const usual = [...new Map(keys.map((key) => [itemName(key), key])).values()];
  await items.load(usual);
  const spread = new Map<string, ItemKey>();
  for (const key of usual) {
    const data = items.get(key);
    if (isSpread(data) || (data === undefined && isHot(placing, key) && (await mark(placing, key)))) {
      spread.set(itemName(key), spreadKey(key));
    }
  }
  await items.load([...spread.values()]);
  return (key) => spread.get(itemName(key)) ?? key;
}

export type PlaceOf = (key: ItemKey) => ItemKey;

/** The usual place has become a mark since it was read: the batch comes again, and finds it. */
export function assertCounts(data: unknown): void {
  if (isSpread(data)) throw new AppError("conflict", "The counts lie elsewhere by now");
}

function isHot({ watch, spreadAbove }: Placing, key: ItemKey): boolean {
  return watch !== null && watch.rateOf("user_store", key.client, key.kind) > spreadAbove;
}

/** Durable before anything lies elsewhere. Where somebody else was faster, the batch comes again. */
async function mark({ store, cache, expiresAt }: Placing, key: ItemKey): Promise<true> {
  const name = itemName(key);
  const before = cache.get(name) ?? ABSENT;
  cache.delete(name);
  const item = { ...before, data: spreadMark(), expiresAt };
  if (await store.replace(key, item)) {
    cache.set(name, { ...item, version: before.version + 1 });
    return true;
  }
  throw new AppError("conflict", "Somebody else counts for this shard");
}
