import type { Registry } from "prom-client";

import type { Context } from "../platform/context.ts";
import { runConsumer } from "../platform/stream/consumer.ts";
import type { Consumer, StreamProducer } from "../platform/stream/types.ts";
import { publishWatermark } from "../platform/watermark.ts";
import { createCountersConsumer } from "./stream/counters/consumer.ts";
import { createEnrichConsumer } from "./stream/enrich/consumer.ts";
import type { FindGeo } from "./stream/enrich/geo-database.ts";
import { createLakeConsumer } from "./stream/lake/consumer.ts";

export interface ConsumersDeps {
  ctx: Context;
  findGeo: FindGeo;
  /** Of the stream "enriched". */
  producer: StreamProducer;
  registry: Registry;
}

/** All consumers, each with leases, pace and troubles of its own: one that fails and waits leaves the others alone. */
export function runConsumers({ ctx, findGeo, producer, registry }: ConsumersDeps): Consumer[] {
  const onError = (error: unknown) => ctx.log.debug({ err: error }, "a watermark could not be published");
  const enrich = createEnrichConsumer(ctx, { findGeo, producer, registry });
  return [
    runConsumer(ctx, { ...enrich, ...publishWatermark(ctx.redis, "enrich", onError) }),
    runConsumer(ctx, createCountersConsumer(ctx, registry)),
    runConsumer(ctx, { ...createLakeConsumer(ctx), registry }),
  ];
}
