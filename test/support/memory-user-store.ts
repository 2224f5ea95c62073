import { ABSENT, itemName, type StoredItem, type UserStore } from "../../platform/user-store.ts";

/** The user store's contract in memory, for properties that run thousands of times; its own tests run on real stores. */
export function createMemoryUserStore() {
  const stored = new Map<string, StoredItem>();
  const appended = new Map<string, { partition: string; sort: string; item: StoredItem }>();
  const store: UserStore = {
    async read(keys) {
      return keys.map((key) => structuredClone(stored.get(itemName(key)) ?? ABSENT));
    },
    async list(partition, prefix) {
      const name = itemName({ ...partition, sort: "" });
      return [...appended.values()].filter((entry) => entry.partition === name && entry.sort.startsWith(prefix));
    },
    async replace(key, item) {
      const name = itemName(key);
      if ((stored.get(name)?.version ?? 0) !== item.version) return false;
      stored.set(name, structuredClone({ ...item, version: item.version + 1 }));
      return true;
    },
    async append(items) {
      for (const { key, data, expiresAt } of items) {
        const partition = itemName({ ...key, sort: "" });
        appended.set(itemName(key), { partition, sort: key.sort, item: { ...ABSENT, data, expiresAt } });
      }
    },
    async findOwners() {
      return [];
    },
    hashContact: ({ kind, value }) => `${kind} ${value.length}`,
  };
  /** What lies in the store, without what depends on how often it was written. */
  const items = () =>
    Object.fromEntries(
      [...stored].toSorted().map(([name, { data, fences, index }]) => [name, { data, fences, index }]),
    );
  return { store, items };
}
