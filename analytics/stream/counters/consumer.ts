import type { Registry } from "prom-client";

import { addCount, COUNTERS_TTL_DAYS, type Counts, minuteOf } from "../../../core/counters.ts";
import { type Enrichment, readEnrichment } from "../../../core/enriched-event.ts";
import { type Fences, mergeFences } from "../../../core/fence.ts";
import { addToLiveDay, type LiveDay, readEarned, utcDayOf } from "../../../core/live-hour.ts";
import { LruMap } from "../../../core/lru.ts";
import type { Context } from "../../../platform/context.ts";
import { writeDeadLetters } from "../../../platform/dead-letters.ts";
import type { HotKeyWatch } from "../../../platform/hot-keys.ts";
import { counterKey } from "../../../platform/live-counters.ts";
import type { ConsumerOptions, StreamBatch, StreamEntry } from "../../../platform/stream/types.ts";
import { createUserStore, type UserStore } from "../../../platform/user-store.ts";
import { createUserBatch, type ItemCache } from "../../../platform/user-store-batch.ts";
import { takeNew } from "../lane-filter.ts";
import { assertCounts, placeCounts, type Placing, SPREAD_ABOVE_UNITS_PER_S } from "./place-counts.ts";

const COUNTERS_CONSUMER = "counters";

const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** Live enough for a person, and one write for many events. */
const LINGER_MS = 500;
const CACHED_ITEMS = 2_000;
const DAY_S = 86_400;
const DAY_MS = DAY_S * 1_000;

/** The last source place of each lane that was counted: the enricher may emit an event again after a crash. */
export interface CountersState {
  fences: Fences;
}

interface Parts extends Omit<Placing, "expiresAt"> {
  ctx: Pick<Context, "db" | "log">;
  cache: ItemCache;
  now(): number;
}

export interface CountersDeps {
  registry?: Registry;
  /** Instead of the table's own. */
  store?: UserStore;
  /** Says which clients' counters are hot; without it none is. */
  watch?: HotKeyWatch;
  spreadAbove?: number;
  /** Says which minutes are still of interest; `Date.now` unless told. */
  now?(): number;
}

interface Counted {
  enrichment: Enrichment;
  raw: Buffer;
}

/**
 * Counts events by client, minute and type, for dashboards that show what goes on now; and by day and quarter of an hour, with
 * what purchases earned, for the hours of reports that the aggregates do not know yet.
 */
export function createCountersConsumer(
  ctx: Pick<Context, "config" | "db" | "dynamodb" | "log">,
  deps: CountersDeps = {},
): ConsumerOptions<CountersState> {
  const { registry, store = createUserStore(ctx), watch = null, spreadAbove = SPREAD_ABOVE_UNITS_PER_S } = deps;
  const parts: Parts = { ctx, store, cache: new LruMap(CACHED_ITEMS), watch, spreadAbove, now: deps.now ?? Date.now };
  return {
    stream: ctx.config.LIVORA_STREAM_ENRICHED,
    name: COUNTERS_CONSUMER,
    handle: (batch) => countBatch(parts, batch),
    countEvents: () => 1,
    maxBatchBytes: MAX_BATCH_BYTES,
    lingerMs: LINGER_MS,
    exactRanges: false,
    mergeStates: (states) => ({ fences: mergeFences(states.map((state) => state.fences)) }),
    registry,
  };
}

async function countBatch(parts: Parts, batch: StreamBatch<CountersState>): Promise<CountersState> {
  const { events, unreadable } = decodeAll(batch.entries);
  const enrichments = events.map(({ enrichment }) => enrichment);
  const { fresh, fences } = takeNew(enrichments, batch.state?.fences ?? {}, COUNTERS_CONSUMER);
  await writeDeadLetters(
    parts.ctx.db,
    unreadable.map((entry) => toDeadLetter(batch.shard, entry)),
  );
  const counted = new Set(fresh.filter(isAfter(parts.now() - COUNTERS_TTL_DAYS * DAY_MS)));
  await countEvents(
    parts,
    batch.shard,
    events.filter(({ enrichment }) => counted.has(enrichment)),
  );
  return { fences };
}

/** Minutes that would have expired are not written again: history comes in here, too. */
function isAfter(ms: number): (event: Enrichment) => boolean {
  return ({ timestamp }) => Date.parse(timestamp) > ms;
}

/** The items know for each lane what they have counted, so that a batch tried again counts nothing twice. */
async function countEvents(parts: Parts, shard: string, events: readonly Counted[]): Promise<void> {
  const items = createUserBatch(parts.store, parts.cache);
  const minuteKeyOf = (event: Enrichment) => counterKey(event.client_id, minuteOf(event.timestamp), shard);
  const dayKeyOf = (event: Enrichment) => counterKey(event.client_id, utcDayOf(event.timestamp), shard);
  const expiresAt = Math.floor(Date.now() / 1000) + COUNTERS_TTL_DAYS * DAY_S;
  const keys = events.flatMap(({ enrichment }) => [minuteKeyOf(enrichment), dayKeyOf(enrichment)]);
  const placeOf = await placeCounts({ ...parts, expiresAt }, items, keys);
  for (const { enrichment, raw } of events) {
    const origin = { lane: enrichment.lane, place: enrichment.source };
    items.change<Counts>(placeOf(minuteKeyOf(enrichment)), origin, (before) => {
      assertCounts(before);
      return { data: addCount(before, enrichment.event_type), expiresAt };
    });
    const earned = readEarned(enrichment.event_type, raw);
    items.change<LiveDay>(placeOf(dayKeyOf(enrichment)), origin, (before) => {
      assertCounts(before);
      return { data: addToLiveDay(before, enrichment, earned), expiresAt };
    });
  }
  try {
    await items.flush();
  } catch (error) {
    // Somebody else has been here: when the batch comes again, it reads everything anew.
    parts.cache.clear();
    throw error;
  }
}

/** The line before an event is all that it takes: one whose bytes are broken is counted like any other. */
function decodeAll(entries: readonly StreamEntry[]): { events: Counted[]; unreadable: StreamEntry[] } {
  const events: Counted[] = [];
  const unreadable: StreamEntry[] = [];
  for (const entry of entries) {
    const read = readEnrichment(entry.data);
    if (read === null) unreadable.push(entry);
    else events.push(read);
  }
  return { events, unreadable };
}

function toDeadLetter(shard: string, { sequence, index, data }: StreamEntry) {
  const place = { source: { shard, sequence, index }, stage: COUNTERS_CONSUMER, attempts: 1 };
  return { ...place, clientId: null, eventId: null, reason: "not an enriched event", payload: data };
}
