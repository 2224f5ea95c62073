import { AppError } from "../../core/errors.ts";
import type { UserStore } from "../../platform/user-store.ts";
import { createMemoryUserStore } from "../support/memory-user-store.ts";
import type { Network } from "./network.ts";

const failure = (kind: string) => new AppError("unavailable", `The user store: ${kind}`);

/** The user store in memory, behind the network. */
export function createModelUserStore(network: Network) {
  const memory = createMemoryUserStore();
  const inner = memory.now;
  const store: UserStore = {
    read: (keys) => network.ask("store:read", () => inner.read(keys), failure),
    list: (partition, prefix) => network.ask("store:read", () => inner.list(partition, prefix), failure),
    // Its client tries again what got no answer, and then finds its own write in the way.
    replace: (key, item) =>
      network.ask("store:replace", (kind) => (inner.replace(key, item) ? kind !== "conflict" : false), failure),
    append: (items) => network.ask("store:append", () => inner.append(items), failure),
    findOwners: async () => [],
    hashContact: memory.store.hashContact,
  };
  return { store, items: memory.items };
}
