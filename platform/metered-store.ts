import type { HotKeyWatch } from "./hot-keys.ts";
import type { ItemKey, UserStore } from "./user-store.ts";

const UNIT_BYTES = 1_024;
/** Keys, version, expiry and names of the attributes. */
const OVERHEAD_BYTES = 150;

/** The user store, with what each partition takes of its writes noted, in DynamoDB's write units. */
export function meterWrites(store: UserStore, watch: Pick<HotKeyWatch, "note">): UserStore {
  const note = (key: ItemKey, bytes: number) =>
    watch.note("user_store", key.client, partitionName(key), Math.ceil((bytes + OVERHEAD_BYTES) / UNIT_BYTES));
  return {
    ...store,
    replace(key, item) {
      note(key, JSON.stringify(item.data ?? null).length + JSON.stringify(item.fences).length);
      return store.replace(key, item);
    },
    append(items) {
      for (const { key, data } of items) note(key, data.length);
      return store.append(items);
    },
  };
}

/** A person by key. Counters and what was seen by kind: their partition is another one each minute, their heat is not. */
function partitionName({ kind, owner }: Pick<ItemKey, "kind" | "owner">): string {
  return kind === "USER" ? owner : kind;
}
