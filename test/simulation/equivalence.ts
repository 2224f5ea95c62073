import { createEnricher } from "../../analytics/stream/enrich/enricher.ts";
import { SILENT } from "../../analytics/stream/enrich/metrics.ts";
import { canonicalJson } from "../../core/journey/hash.ts";
import type { Session } from "../../core/session.ts";
import type { Aliases } from "../../core/stitch.ts";
import type { StreamEntry } from "../../platform/stream/types.ts";
import { createMemoryUserStore } from "../support/memory-user-store.ts";
import type { Violation } from "./invariants.ts";
import type { World } from "./world.ts";

/**
 * The user store is what one process makes of the stream that reads it once, from its beginning to its end, and meets no
 * trouble: whatever was killed, repeated or came twice meanwhile has left no trace.
 */
export async function judgeEquivalence(world: World): Promise<Violation[]> {
  const expected = settled(await enrichOnce(world));
  const found = settled(world.userItems());
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].toSorted();
  return names
    .filter((name) => expected[name] !== found[name])
    .map((name): Violation => ({
      invariant: "equivalence",
      detail: `${name.replace("\n", " ")} is ${found[name] ?? "missing"} instead of ${expected[name] ?? "nothing"}`,
    }));
}

async function enrichOnce({ events }: World) {
  const { store, items } = createMemoryUserStore();
  const place = { shard: "", sequence: "", index: 0 };
  const enricher = createEnricher({
    store,
    findGeo: () => null,
    producer: { append: async () => place },
    metrics: SILENT,
    log: { warn: () => undefined },
    putAside: async () => undefined,
  });
  const entries: StreamEntry[] = events.entries().map((entry) => ({ ...entry, arrivedAtMs: 0 }));
  for (const entry of entries) await enricher.enrich({ shard: "", entries: [entry], isAlone: true });
  return items();
}

/** Items by name, as text. Who a session belonged to, and which device came first, depends on which shard was read first. */
function settled(items: ReturnType<World["userItems"]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(items).map(([name, { data, fences }]) => [
      name,
      canonicalJson({ data: settle(name, data), fences }),
    ]),
  );
}

function settle(name: string, data: unknown): unknown {
  if (name.includes("\nSESSION#")) return { ...(data as Session), person_key: null };
  if (!name.endsWith("\nATTR#aliases")) return data;
  const aliases = data as Aliases;
  return { ...aliases, anon_ids: aliases.anon_ids.toSorted() };
}
