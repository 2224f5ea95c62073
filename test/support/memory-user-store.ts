import { ABSENT, itemName, type StoredItem, type UserStore } from "../../platform/user-store.ts";

/** The user store's contract in memory, for properties that run thousands of times; its own tests run on real stores. */
export function createMemoryUserStore() {
  const stored = new Map<string, StoredItem>();
  const appended = new Map<string, { partition: string; sort: string; item: StoredItem }>();
  /** At once, for whoever says himself when. */
  const now = {
    read: (keys: Parameters<UserStore["read"]>[0]): StoredItem[] =>
      keys.map((key) => structuredClone(stored.get(itemName(key)) ?? ABSENT)),
    list(partition: Parameters<UserStore["list"]>[0], prefix: string) {
      const name = itemName({ ...partition, sort: "" });
      return [...appended.values()].filter((entry) => entry.partition === name && entry.sort.startsWith(prefix));
    },
    replace(key: Parameters<UserStore["replace"]>[0], item: StoredItem): boolean {
      const name = itemName(key);
      if ((stored.get(name)?.version ?? 0) !== item.version) return false;
      stored.set(name, structuredClone({ ...item, version: item.version + 1 }));
      return true;
    },
    append(items: Parameters<UserStore["append"]>[0]): void {
      for (const { key, data, expiresAt } of items) {
        const partition = itemName({ ...key, sort: "" });
        appended.set(itemName(key), { partition, sort: key.sort, item: { ...ABSENT, data, expiresAt } });
      }
    },
  };
  const store: UserStore = {
    read: async (keys) => now.read(keys),
    list: async (partition, prefix) => now.list(partition, prefix),
    replace: async (key, item) => now.replace(key, item),
    append: async (items) => now.append(items),
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
  return { store, now, items };
}
