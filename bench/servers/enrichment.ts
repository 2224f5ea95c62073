import { randomUUID } from "node:crypto";

import { createCountersConsumer } from "../../analytics/stream/counters/consumer.ts";
import { createEnrichConsumer } from "../../analytics/stream/enrich/consumer.ts";
import { openGeoDatabase } from "../../analytics/stream/enrich/geo-database.ts";
import { createLakeConsumer } from "../../analytics/stream/lake/consumer.ts";
import { provisionStreams, provisionTables } from "../../infra/local/provision.ts";
import type { Config } from "../../platform/config.ts";
import { type Context, createContext } from "../../platform/context.ts";
import { inParallel } from "../../platform/in-parallel.ts";
import { runConsumer } from "../../platform/stream/consumer.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import type { BatchHandler, Consumer } from "../../platform/stream/types.ts";
import { ABSENT, createUserStore } from "../../platform/user-store.ts";
import { serveParent } from "../child.ts";
import { makeShop } from "../load/shop.ts";
import { createMeter, type Usage } from "./meter.ts";

export interface EnrichmentLoad {
  /** `store`: as many conditional writes of items, with nothing else. */
  what: "enrich" | "everything" | "store";
  visitors: number;
  events: number;
}

export type EnrichmentResult = Usage & { events: number; seconds: number };

const CLIENT = "bench-enrichment";
const APPENDS_AT_ONCE = 5_000;
const PARALLEL_WRITES = 32;

/** The consumers, draining a stream that was filled beforehand; each time with streams and tables of their own. */
await serveParent<{ config: Config }, EnrichmentLoad>(async ({ config }) => {
  const findGeo = await openGeoDatabase();
  const meter = createMeter();

  async function measure(ctx: Context, load: EnrichmentLoad): Promise<EnrichmentResult> {
    if (load.what === "store") return writeItems(ctx, load.events);
    await fill(ctx, load);
    const producer = createStreamProducer({ kinesis: ctx.kinesis, stream: ctx.config.LIVORA_STREAM_ENRICHED });
    const enrich = createEnrichConsumer(ctx, { findGeo, producer });
    const lake = createLakeConsumer(ctx);
    const counters = createCountersConsumer(ctx);
    const drained: Promise<Handling[]>[] = [];
    const counted = <State>(handle: BatchHandler<State>, countEvents: (data: Buffer) => number) => {
      const { counting, done } = countDown(handle, countEvents, load.events);
      drained.push(done);
      return counting;
    };
    meter();
    const startedAt = performance.now();
    const consumers: Consumer[] = [runConsumer(ctx, { ...enrich, handle: counted(enrich.handle, enrich.countEvents) })];
    if (load.what === "everything") {
      consumers.push(runConsumer(ctx, { ...lake, handle: counted(lake.handle, lake.countEvents) }));
      consumers.push(runConsumer(ctx, { ...counters, handle: counted(counters.handle, counters.countEvents) }));
    }
    const seconds = (endOfWork(await Promise.all(drained)) - startedAt) / 1000;
    const result = { events: load.events, seconds, ...meter() };
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    await producer.close();
    return result;
  }

  async function writeItems(ctx: Context, items: number): Promise<EnrichmentResult> {
    const store = createUserStore(ctx);
    const data = {
      steps: 1,
      landing_page: "https://shop.example/p/block-printed-kurta",
      source: "insta",
      at: "x".repeat(120),
    };
    meter();
    const startedAt = performance.now();
    const numbers = Array.from({ length: items }, (_, n) => n);
    await inParallel(numbers, PARALLEL_WRITES, async (n) => {
      await store.replace({ client: CLIENT, kind: "USER", owner: `anon:${n}`, sort: "SESSION#1" }, { ...ABSENT, data });
    });
    return { events: items, seconds: (performance.now() - startedAt) / 1000, ...meter() };
  }

  return {
    ready: null,
    async answer(load: EnrichmentLoad) {
      const name = randomUUID();
      const ctx = createContext("bench", {
        ...config,
        LIVORA_STREAM_EVENTS: `events-${name}`,
        LIVORA_STREAM_ENRICHED: `enriched-${name}`,
        LIVORA_USER_TABLE: `users-${name}`,
        LIVORA_LEASE_TABLE: `leases-${name}`,
        LIVORA_LOG_LEVEL: "warn",
      });
      await Promise.all([provisionStreams(ctx.config), provisionTables(ctx.config)]);
      const result = await measure(ctx, load);
      await ctx.close();
      return result;
    },
  };
});

async function fill(ctx: Context, { visitors, events }: EnrichmentLoad): Promise<void> {
  const producer = createStreamProducer({
    kinesis: ctx.kinesis,
    stream: ctx.config.LIVORA_STREAM_EVENTS,
    deadlineMs: 60_000,
  });
  let appends: Promise<unknown>[] = [];
  for (const request of makeShop(CLIENT, visitors, events)) {
    appends.push(producer.append(request.lane, request.data, request.events));
    if (appends.length < APPENDS_AT_ONCE) continue;
    await Promise.all(appends);
    appends = [];
  }
  await Promise.all(appends);
  await producer.close();
}

/** A batch's handling, in `performance.now()`. */
interface Handling {
  begunMs: number;
  endedMs: number;
}

/**
 * When the last work was done, had nobody waited for more to come: counters wait half a second, the lake two, before they handle what
 * does not fill a batch. So of what came after the last enriched event only the time counts in which batches were handled.
 */
function endOfWork([enrichment = [], ...others]: readonly (readonly Handling[])[]): number {
  const enrichedMs = Math.max(...enrichment.map(({ endedMs }) => endedMs));
  return enrichedMs + Math.max(0, ...others.map((handlings) => busyAfter(handlings, enrichedMs)));
}

/** Shards are handled side by side: what overlaps counts once. */
function busyAfter(handlings: readonly Handling[], sinceMs: number): number {
  let busyMs = 0;
  let upToMs = sinceMs;
  for (const { begunMs, endedMs } of handlings.toSorted((a, b) => a.begunMs - b.begunMs)) {
    busyMs += Math.max(0, endedMs - Math.max(begunMs, upToMs));
    upToMs = Math.max(upToMs, endedMs);
  }
  return busyMs;
}

/** Resolves once the handler has handled so many events. */
function countDown<State>(handle: BatchHandler<State>, countEvents: (data: Buffer) => number, events: number) {
  const { promise: done, resolve } = Promise.withResolvers<Handling[]>();
  const handlings: Handling[] = [];
  let left = events;
  const counting: BatchHandler<State> = async (batch) => {
    const begunMs = performance.now();
    const state = await handle(batch);
    handlings.push({ begunMs, endedMs: performance.now() });
    for (const { data } of batch.entries) left -= countEvents(data);
    if (left <= 0) resolve(handlings);
    return state;
  };
  return { counting, done };
}
