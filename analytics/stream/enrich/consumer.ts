import type { Registry } from "prom-client";

import type { Context } from "../../../platform/context.ts";
import { writeDeadLetters, writeDrops } from "../../../platform/dead-letters.ts";
import type { HotKeyWatch } from "../../../platform/hot-keys.ts";
import type { ConsumerOptions, StreamProducer } from "../../../platform/stream/types.ts";
import { createUserStore, type UserStore } from "../../../platform/user-store.ts";
import { countEvents } from "./decode.ts";
import { createEnricher } from "./enricher.ts";
import type { FindGeo } from "./geo-database.ts";
import { createEnrichMetrics } from "./metrics.ts";
import { createSchemaIndex } from "./schema-index.ts";
import type { Step } from "./step.ts";

const NAME = "enrich";
/** Larger batches touch each item less often; smaller ones come through sooner. This is the most, under load. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const TARGET_BATCH_MS = 1_000;

export interface EnrichDeps {
  findGeo: FindGeo;
  /** Of the stream "enriched". */
  producer: StreamProducer;
  /** Instead of the table's own. */
  store?: UserStore;
  registry?: Registry;
  /** Told what each session, device or user brings. */
  watch?: Pick<HotKeyWatch, "note">;
  /** Steps to take instead of, or beside, the usual ones. */
  arrange?(steps: Step[]): Step[];
}

/** Nothing to remember between batches: what has been seen, and what items have taken in, lies in the user store. */
type EnrichState = null;

/** The events as they were received, made sense of: into the user store, and on to the stream "enriched". */
export function createEnrichConsumer(
  ctx: Pick<Context, "config" | "db" | "dynamodb" | "log">,
  { findGeo, producer, store, registry, watch, arrange }: EnrichDeps,
): ConsumerOptions<EnrichState> {
  const enricher = createEnricher({
    store: store ?? createUserStore(ctx),
    findGeo,
    schemas: createSchemaIndex(ctx),
    producer,
    metrics: createEnrichMetrics(registry),
    log: ctx.log,
    watch,
    async putAside(letters, drops) {
      await writeDeadLetters(ctx.db, letters);
      await writeDrops(ctx.db, drops);
    },
    arrange,
  });
  return {
    stream: ctx.config.LIVORA_STREAM_EVENTS,
    name: NAME,
    async handle(batch) {
      await enricher.enrich(batch);
      return null;
    },
    countEvents,
    maxBatchBytes: MAX_BATCH_BYTES,
    targetBatchMs: TARGET_BATCH_MS,
    lingerMs: 0,
    exactRanges: false,
    mergeStates: () => null,
    registry,
    // What another process has written meanwhile is not in this one's memory.
    onAcquired: () => enricher.forget(),
  };
}
