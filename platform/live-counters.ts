import { type Counts, minuteOf, sumCounts } from "../core/counters.ts";
import { inParallel, type ItemKey, type UserStore } from "./user-store.ts";

const PARALLEL_READS = 8;
const MINUTE_MS = 60_000;

/** One item for each client, minute and shard, so that no two consumers write the same one. */
export function counterKey(client: string, minute: string, shard: string): ItemKey {
  return { client, kind: "COUNTER", owner: minute, sort: `SHARD#${shard}` };
}

/** What a client's events were, by type, in each minute from `from` up to and including `to` (ISO 8601 UTC). */
export async function readLiveCounters(
  store: Pick<UserStore, "list">,
  clientId: string,
  range: { from: string; to: string },
): Promise<{ minute: string; counts: Counts }[]> {
  const minutes: string[] = [];
  for (let at = Date.parse(minuteOf(range.from)); at <= Date.parse(range.to); at += MINUTE_MS) {
    minutes.push(minuteOf(new Date(at).toISOString()));
  }
  const found = new Map<string, Counts>();
  await inParallel(minutes, PARALLEL_READS, async (minute) => {
    const items = await store.list({ client: clientId, kind: "COUNTER", owner: minute }, "SHARD#");
    found.set(minute, sumCounts(items.map(({ item }) => item.data as Counts)));
  });
  return minutes.map((minute) => ({ minute, counts: found.get(minute) ?? {} }));
}
