import { randomUUID } from "node:crypto";

import { createEnrichConsumer, type EnrichDeps } from "../../analytics/stream/enrich/consumer.ts";
import { openGeoDatabase } from "../../analytics/stream/enrich/geo-database.ts";
import { personItem } from "../../analytics/stream/enrich/keys.ts";
import { decodeEnriched, type EnrichedEvent } from "../../core/enriched-event.ts";
import { encodeEnvelope } from "../../core/envelope.ts";
import { type Event, partitionKeyOf } from "../../core/event.ts";
import { laneOf } from "../../core/position.ts";
import type { Context } from "../../platform/context.ts";
import { runConsumer } from "../../platform/stream/consumer.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import type { Consumer, StreamProducer } from "../../platform/stream/types.ts";
import { createUserStore } from "../../platform/user-store.ts";
import { createIsolatedContext } from "./context.ts";
import { readStream } from "./stream-reader.ts";

/** The enrichment with streams and tables of its own. */
export interface EnrichSetup {
  ctx: Context;
  client: string;
  send(...events: Partial<Event>[]): Promise<Event[]>;
  /** Another process' worth of enrichment. */
  enrich(deps?: Partial<EnrichDeps>): Promise<Consumer>;
  /** Everything on "enriched", each source place once, as its consumers take it. */
  enriched(): Promise<EnrichedEvent[]>;
  item(person: string, sort: string): Promise<unknown>;
}

/** `closing` takes what is to be called at the end, last first. */
export async function setUpEnrich(closing: (() => Promise<void>)[], shards = 2): Promise<EnrichSetup> {
  const ctx = await createIsolatedContext({ LIVORA_STREAM_SHARDS: shards, LIVORA_LOG_LEVEL: "silent" });
  const client = `client-${randomUUID()}`;
  const [events, enriched] = [ctx.config.LIVORA_STREAM_EVENTS, ctx.config.LIVORA_STREAM_ENRICHED].map((stream) =>
    createStreamProducer({ kinesis: ctx.kinesis, stream }),
  ) as [StreamProducer, StreamProducer];
  closing.push(async () => {
    await Promise.all([events.close(), enriched.close()]);
    await ctx.close();
  });
  const store = createUserStore(ctx);
  const findGeo = await openGeoDatabase();
  return {
    ctx,
    client,
    async send(...partials) {
      const sent = partials.map((partial) => eventOf(client, partial));
      await Promise.all(sent.map((event) => append(events, client, [event])));
      return sent;
    },
    async enrich(deps = {}) {
      const options = createEnrichConsumer(ctx, { findGeo, producer: enriched, ...deps });
      const consumer = runConsumer(ctx, { ...options, leaseMs: 1_000 });
      closing.push(() => consumer.stop());
      return consumer;
    },
    async enriched() {
      const records = await readStream(ctx.kinesis, ctx.config.LIVORA_STREAM_ENRICHED);
      const all = records.flatMap((record) => record.parts.map(({ data }) => decodeEnriched(data)));
      const bySource = new Map(all.map((event) => [JSON.stringify(event.source), event]));
      return [...bySource.values()];
    },
    item: async (person, sort) => (await store.read([personItem(client, person, sort)]))[0]?.data,
  };
}

let clock = Date.parse("2026-11-20T10:00:00.000Z");

function eventOf(client: string, partial: Partial<Event>): Event {
  const timestamp = new Date((clock += 1_000)).toISOString();
  const defaults = { event_id: randomUUID(), timestamp, client_id: client, event_type: "page_view" };
  return { ...defaults, session_id: "s-1", ...partial } as Event;
}

function append(producer: StreamProducer, client_id: string, events: Event[]) {
  const [first] = events;
  if (!first) throw new Error("nothing to send");
  const header = { client_id, received_at: new Date().toISOString(), request_id: "r-1", ip: "8.8.8.8" };
  const raw = events.map((event) => Buffer.from(JSON.stringify(event)));
  return producer.append(laneOf(partitionKeyOf(first)), encodeEnvelope(header, raw), events.length);
}
