import type { Registry } from "prom-client";

import { LruMap } from "../../../core/lru.ts";
import type { Context } from "../../../platform/context.ts";
import { writeDeadLetters, writeDrops } from "../../../platform/dead-letters.ts";
import type { ConsumerOptions, StreamBatch, StreamProducer } from "../../../platform/stream/types.ts";
import { createUserStore, type UserStore } from "../../../platform/user-store.ts";
import { createUserBatch, type ItemCache } from "../../../platform/user-store-batch.ts";
import { createBotStep } from "./bot.ts";
import { createCartStep } from "./cart.ts";
import { type Rejected, runChain } from "./chain.ts";
import { countEvents, decodeEntries } from "./decode.ts";
import { createDedupeStep, createRememberStep } from "./dedupe.ts";
import { emitEvents } from "./emit.ts";
import { createGeoStep } from "./geo.ts";
import type { FindGeo } from "./geo-database.ts";
import { createEnrichMetrics, type EnrichMetrics } from "./metrics.ts";
import { createNormalizeTimestampStep } from "./normalize-timestamp.ts";
import { createProfileStep } from "./profile.ts";
import { createSeenStore, type SeenStore } from "./seen/seen-store.ts";
import { createSessionizeStep } from "./sessionize.ts";
import type { Step } from "./step.ts";
import { createStitchStep } from "./stitch.ts";
import { createUserAgentStep } from "./user-agent.ts";
import { createUtmStep } from "./utm.ts";

export const ENRICH_CONSUMER = "enrich";

/** Larger batches touch each item less often; smaller ones come through sooner. This is the most, under load. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const TARGET_BATCH_MS = 1_000;
/** Items kept in memory: about 1 KB each. */
const CACHED_ITEMS = 50_000;

export interface EnrichDeps {
  findGeo: FindGeo;
  /** Of the stream "enriched". */
  producer: StreamProducer;
  registry?: Registry;
  /** Steps to take instead of, or beside, the usual ones. */
  arrange?(steps: Step[]): Step[];
}

interface Parts {
  ctx: Pick<Context, "db" | "log">;
  producer: StreamProducer;
  steps: Step[];
  store: UserStore;
  cache: ItemCache;
  seen: SeenStore;
  metrics: EnrichMetrics;
}

/** Nothing to remember between batches: what has been seen, and what items have taken in, lies in the user store. */
export type EnrichState = null;

/** The events as they were received, made sense of: into the user store, and on to the stream "enriched". */
export function createEnrichConsumer(
  ctx: Pick<Context, "config" | "db" | "dynamodb" | "log">,
  deps: EnrichDeps,
): ConsumerOptions<EnrichState> {
  const store = createUserStore(ctx);
  const metrics = createEnrichMetrics(deps.registry);
  const usual: Step[] = [
    createNormalizeTimestampStep(),
    createDedupeStep(),
    createGeoStep(deps.findGeo),
    createUserAgentStep(),
    createBotStep(),
    createUtmStep(),
    createStitchStep({ onLink: metrics.link }),
    createSessionizeStep(),
    createCartStep(),
    createProfileStep(store),
    createRememberStep(),
  ];
  const steps = deps.arrange?.(usual) ?? usual;
  const cache: ItemCache = new LruMap(CACHED_ITEMS);
  const seen = createSeenStore(store);
  const parts: Parts = { ctx, producer: deps.producer, steps, store, cache, seen, metrics };
  return {
    stream: ctx.config.LIVORA_STREAM_EVENTS,
    name: ENRICH_CONSUMER,
    handle: (batch) => enrichBatch(parts, batch),
    countEvents,
    maxBatchBytes: MAX_BATCH_BYTES,
    targetBatchMs: TARGET_BATCH_MS,
    lingerMs: 0,
    exactRanges: false,
    mergeStates: () => null,
    registry: deps.registry,
    onAcquired() {
      // What another process has written meanwhile is not in this one's memory.
      cache.clear();
      seen.clear();
    },
  };
}

/** Durable in this order: what was seen and who did what; what was left out; the enriched events; then the checkpoint. */
async function enrichBatch(parts: Parts, batch: StreamBatch<EnrichState>): Promise<EnrichState> {
  const { ctx, metrics } = parts;
  const { drafts, unreadable } = decodeEntries(batch.shard, batch.entries);
  // Who belongs to whom must be known as it is now, also where another process has just written it.
  const cache: ItemCache = batch.isAlone ? parts.cache : new LruMap(CACHED_ITEMS);
  const unit = { items: createUserBatch(parts.store, cache), seen: parts.seen.begin() };
  const { passed, rejected } = await runChain(parts.steps, drafts, unit, ctx.log);
  const [flushed] = await Promise.all([unit.items.flush(), unit.seen.save()]);
  await writeDeadLetters(ctx.db, [...unreadable, ...rejected.filter(isOutcome("dead_letter")).map(toDeadLetter)]);
  await writeDrops(ctx.db, rejected.filter(isOutcome("drop")).map(toDrop));
  await emitEvents(parts.producer, passed);
  metrics.batch({ passed: passed.length, unreadable: unreadable.length, rejected, ...flushed });
  return null;
}

function isOutcome(outcome: Rejected["outcome"]) {
  return (rejected: Rejected) => rejected.outcome === outcome;
}

function toDeadLetter({ draft, stage, reason, attempts }: Rejected) {
  const { clientId, event, raw, source } = draft;
  return { clientId, eventId: event.event_id, stage, reason, payload: raw, source, attempts };
}

function toDrop({ draft, stage, reason }: Rejected) {
  const { clientId, event, source, receivedAt } = draft;
  return { clientId, eventId: event.event_id, stage, reason, source, receivedAt };
}
