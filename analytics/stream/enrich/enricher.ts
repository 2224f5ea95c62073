import { partitionKeyOf } from "../../../core/event.ts";
import { LruMap } from "../../../core/lru.ts";
import type { DeadLetter, DroppedEvent } from "../../../platform/dead-letters.ts";
import type { HotKeyWatch } from "../../../platform/hot-keys.ts";
import type { Logger } from "../../../platform/logger.ts";
import type { StreamBatch, StreamProducer } from "../../../platform/stream/types.ts";
import type { UserStore } from "../../../platform/user-store.ts";
import { createUserBatch, type ItemCache } from "../../../platform/user-store-batch.ts";
import { createBotStep } from "./bot.ts";
import { createCartStep } from "./cart.ts";
import { type Rejected, runChain } from "./chain.ts";
import { decodeEntries } from "./decode.ts";
import { createDedupeStep, createRememberStep } from "./dedupe.ts";
import { emitEvents } from "./emit.ts";
import { createGeoStep } from "./geo.ts";
import type { FindGeo } from "./geo-database.ts";
import type { EnrichMetrics } from "./metrics.ts";
import { createNormalizeTimestampStep } from "./normalize-timestamp.ts";
import { createProfileStep } from "./profile.ts";
import { createSeenStore } from "./seen/seen-store.ts";
import { createSessionizeStep } from "./sessionize.ts";
import { createSchemaStep } from "./schema.ts";
import type { SchemaIndex } from "./schema-index.ts";
import type { Step } from "./step.ts";
import { createStitchStep } from "./stitch.ts";
import { createUserAgentStep } from "./user-agent.ts";
import { createUtmStep } from "./utm.ts";

/** Items kept in memory: about 1 KB each. */
const CACHED_ITEMS = 50_000;

export interface EnricherDeps {
  store: UserStore;
  findGeo: FindGeo;
  /** What clients have registered; without it nothing is held to anything. */
  schemas?: SchemaIndex;
  /** Of the stream "enriched". */
  producer: Pick<StreamProducer, "append">;
  metrics: EnrichMetrics;
  log: Pick<Logger, "warn">;
  watch?: Pick<HotKeyWatch, "note">;
  /** Makes durable what goes no further. */
  putAside(letters: readonly DeadLetter[], drops: readonly DroppedEvent[]): Promise<void>;
  arrange?(steps: Step[]): Step[];
}

export interface Enricher {
  enrich(batch: Pick<StreamBatch<unknown>, "shard" | "entries" | "isAlone">): Promise<void>;
  /** Empties the memory. */
  forget(): void;
}

export function createEnricher(deps: EnricherDeps): Enricher {
  const { store, metrics } = deps;
  const usual: Step[] = [
    createNormalizeTimestampStep(),
    createDedupeStep(),
    ...(deps.schemas ? [createSchemaStep(deps.schemas, { onMisfit: metrics.misfit })] : []),
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
  return {
    /** Durable in this order: what was seen and who did what; what was left out; the enriched events. */
    async enrich({ shard, entries, isAlone }) {
      const { drafts, unreadable } = decodeEntries(shard, entries);
      for (const { clientId, event, raw } of drafts) {
        deps.watch?.note("stream", clientId, partitionKeyOf(event), raw.length);
      }
      // Who belongs to whom must be known as it is now, also where another process has just written it.
      const items = createUserBatch(store, isAlone ? cache : new LruMap(CACHED_ITEMS));
      const unit = { items, seen: seen.begin() };
      const { passed, rejected } = await runChain(steps, drafts, unit, deps.log);
      const [flushed] = await Promise.all([items.flush(), unit.seen.save()]);
      const letters = rejected.filter(({ outcome }) => outcome === "dead_letter").map(toDeadLetter);
      const drops = rejected.filter(({ outcome }) => outcome === "drop").map(toDrop);
      await deps.putAside([...unreadable, ...letters], drops);
      await emitEvents(deps.producer, passed);
      metrics.batch({ passed: passed.length, unreadable: unreadable.length, rejected, ...flushed });
    },
    forget() {
      cache.clear();
      seen.clear();
    },
  };
}

function toDeadLetter({ draft, stage, reason, attempts }: Rejected): DeadLetter {
  const { clientId, event, raw, source, receivedAt: received_at, requestId: request_id, ip, replay } = draft;
  const { backfillId: backfill_id, sentAtMs, seenUnderMs } = draft;
  const provenance = {
    received_at,
    request_id,
    ...(ip !== null && { ip }),
    ...(backfill_id && { backfill_id }),
    ...(seenUnderMs !== sentAtMs &&
      Number.isFinite(seenUnderMs) && { seen_under: new Date(seenUnderMs).toISOString() }),
  };
  const letter = { clientId, eventId: event.event_id, stage, reason, payload: raw, source, attempts, provenance };
  return replay ? { ...letter, replay } : letter;
}

function toDrop({ draft, stage, reason }: Rejected): DroppedEvent {
  const { clientId, event, source, receivedAt } = draft;
  return { clientId, eventId: event.event_id, stage, reason, source, receivedAt };
}
