import type { Registry } from "prom-client";

import type { Context } from "../platform/context.ts";
import { runConsumer } from "../platform/stream/consumer.ts";
import { createHotKeyWatch } from "../platform/hot-keys.ts";
import { meterWrites } from "../platform/metered-store.ts";
import type { StreamProducer } from "../platform/stream/types.ts";
import { createUserStore } from "../platform/user-store.ts";
import { readRedisTimeMs } from "../platform/redis-time.ts";
import { publishWatermark, readWatermark } from "../platform/watermark.ts";
import { createAutomationConsumer } from "./stream/automation/consumer.ts";
import { createCountersConsumer } from "./stream/counters/consumer.ts";
import { createEnrichConsumer } from "./stream/enrich/consumer.ts";
import type { FindGeo } from "./stream/enrich/geo-database.ts";
import { createLakeConsumer } from "./stream/lake/consumer.ts";
import { createReceiptsConsumer } from "./stream/receipts/consumer.ts";

const PUBLISH_EVERY_MS = 10_000;
/** Nobody waits for what these write as one waits for a message: when nothing happens they ask less often. */
const UNHURRIED = { idlePollMs: 500 };

export interface ConsumersDeps {
  ctx: Context;
  findGeo: FindGeo;
  /** Of the stream "enriched". */
  producer: StreamProducer;
  registry: Registry;
}

export interface RunningConsumers {
  isReady(): boolean;
  stop(): Promise<void>;
}

/** All consumers, each with leases, pace and troubles of its own: one that fails and waits leaves the others alone. */
export function runConsumers({ ctx, findGeo, producer, registry }: ConsumersDeps): RunningConsumers {
  const onError = (error: unknown) =>
    ctx.log.debug({ err: error }, "a watermark, or what is hot, could not be published");
  const watch = createHotKeyWatch(ctx.redis, registry);
  const store = meterWrites(createUserStore(ctx), watch);
  const publishing = setInterval(() => void watch.publish().catch(onError), PUBLISH_EVERY_MS).unref();
  const enrich = createEnrichConsumer(ctx, { findGeo, producer, registry, store, watch });
  const automation = createAutomationConsumer(ctx, { registry });
  const journeys = runConsumer(ctx, { ...automation, registry });
  const running = [
    runConsumer(ctx, {
      ...enrich,
      // A clock that was ahead would put a watermark ahead, for good.
      readTime: () => readRedisTimeMs(ctx.redis),
      ...publishWatermark(ctx.redis, "enrich", onError),
      async handle(batch) {
        const state = await enrich.handle(batch);
        // Half of the way from an event to its message would be waiting for the next look.
        journeys.poke();
        return state;
      },
    }),
    journeys,
    runConsumer(ctx, { ...createCountersConsumer(ctx, { registry, store, watch }), ...UNHURRIED }),
    runConsumer(ctx, {
      ...createLakeConsumer(ctx),
      ...UNHURRIED,
      registry,
      // What the enricher had passed on when records were asked for, is in the lake when they are.
      readTime: () => readWatermark(ctx.redis, "enrich"),
      ...publishWatermark(ctx.redis, "lake", onError),
    }),
    runConsumer(ctx, {
      ...createReceiptsConsumer(ctx),
      ...UNHURRIED,
      registry,
      readTime: () => readRedisTimeMs(ctx.redis),
      ...publishWatermark(ctx.redis, "receipts", onError),
    }),
  ];
  return {
    isReady: () => running.every((consumer) => consumer.isReady()),
    async stop() {
      clearInterval(publishing);
      await Promise.all(running.map((consumer) => consumer.stop()));
      await automation.close();
    },
  };
}
