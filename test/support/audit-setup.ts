import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { auditHour } from "../../analytics/audit/audit-hour.ts";
import { type AuditDeps, CLOCKS_DIFFER_MS } from "../../analytics/audit/scope.ts";
import { createEnrichConsumer } from "../../analytics/stream/enrich/consumer.ts";
import { openGeoDatabase } from "../../analytics/stream/enrich/geo-database.ts";
import { createLakeConsumer } from "../../analytics/stream/lake/consumer.ts";
import { createReceiptsConsumer } from "../../analytics/stream/receipts/consumer.ts";
import { hourOf, hoursBetween } from "../../core/audit.ts";
import { API_SCOPES, formatApiKey } from "../../core/api-key.ts";
import type { AuditedHour } from "../../core/contracts/audit.ts";
import { sumCounts } from "../../core/sum-counts.ts";
import { HOUR_MS } from "../../core/time.ts";
import { ensureApiKey, ensureClient } from "../../crm/ensure-client.ts";
import { type IngestServer, startIngestServer } from "../../ingest/server.ts";
import type { Config } from "../../platform/config.ts";
import { type Context, createContext } from "../../platform/context.ts";
import { createLake } from "../../platform/lake/lake.ts";
import { runConsumer } from "../../platform/stream/consumer.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import type { Consumer, ConsumerOptions } from "../../platform/stream/types.ts";
import { createUserStore } from "../../platform/user-store.ts";
import { createWarehouse } from "../../platform/warehouse/duckdb.ts";
import { publishWatermark, readWatermark, type Watermarked } from "../../platform/watermark.ts";
import { createIsolatedContext } from "./context.ts";

export type AuditSetup = Awaited<ReturnType<typeof setUpAudit>>;

/**
 * Edge, enrichment, lake and receipts as they run, with streams of their own, and what an audit of them takes. The edge may
 * have another way to the stream than everybody else.
 */
export async function setUpAudit(options: { edgeKinesisUrl?: string } = {}) {
  const ctx = await createIsolatedContext({ LIVORA_INGEST_PORT: 0, LIVORA_LOG_LEVEL: "silent" });
  const client_id = `audit-${randomUUID().slice(0, 13)}`;
  const api_key = formatApiKey(client_id, randomBytes(24));
  await ensureClient(ctx, { client_id, name: client_id });
  await ensureApiKey(ctx, { client_id, api_key, scopes: [...API_SCOPES] });
  const edgeConfig: Config = {
    ...ctx.config,
    LIVORA_KINESIS_URL: options.edgeKinesisUrl ?? ctx.config.LIVORA_KINESIS_URL,
  };
  const edgeContext = createContext("edge", edgeConfig);
  const ingest = await startIngestServer(edgeContext);
  const producer = createStreamProducer({ kinesis: ctx.kinesis, stream: ctx.config.LIVORA_STREAM_ENRICHED });
  const consumers = await startConsumers(ctx, producer);
  const lake = createLake(ctx.config.LIVORA_LAKE);
  const warehouse = createWarehouse({ memoryLimit: "256MB", threads: 1, tempFolder: join(lake.root, "_tmp/spill") });
  const deps: AuditDeps = { ctx, lake, warehouse, store: createUserStore(ctx), patienceMs: 30_000 };
  const beganMs = Date.now();
  let edge: IngestServer | undefined = ingest;
  return {
    ctx,
    client_id,
    api_key,
    /** For another edge. */
    edgeConfig,
    lake,
    deps,
    consumers,
    scope: () => ({ hourMs: hourOf(Date.now()), clientId: client_id }),
    /** What all audits since the set-up say together: a test may run past the end of an hour. */
    async auditAll() {
      const hours: AuditedHour[] = [];
      for (const hourMs of hoursBetween(beganMs, Date.now()))
        hours.push(...(await auditHour(deps, { hourMs, clientId: client_id })));
      return sumCounts(
        hours.map(({ received, in_lake, dead_letters, unexplained }) => ({
          received,
          in_lake,
          dead_letters,
          unexplained,
        })),
      );
    },
    /** Answers the ids; each of its own session where nothing else is said. */
    async post(count: number, parts: object = {}): Promise<string[]> {
      const events = Array.from({ length: count }, (_, n) => ({
        event_id: randomUUID(),
        timestamp: new Date().toISOString(),
        client_id,
        session_id: `s-${n}`,
        event_type: "page_view",
        ...parts,
      }));
      await postEvents(ingest.port, { client_id, api_key }, events);
      return events.map((event) => event.event_id);
    },
    /** For longer than an audit allows for clocks that differ: until then what was posted last counts as under way. */
    rest: () => sleep(CLOCKS_DIFFER_MS + 500),
    async stopEdge() {
      await edge?.close();
      edge = undefined;
    },
    async close() {
      await edge?.close();
      await Promise.all(consumers.map((consumer) => consumer.stop()));
      await producer.close();
      await warehouse.close();
      await edgeContext.close();
      await ctx.close();
    },
  };
}

/** Where the hour is over before a test of `ms` would be, waits for the next one. */
export async function waitForRoomInHour(ms: number): Promise<void> {
  const leftMs = HOUR_MS - (Date.now() % HOUR_MS);
  if (leftMs < ms) await sleep(leftMs);
}

async function startConsumers(ctx: Context, producer: ReturnType<typeof createStreamProducer>): Promise<Consumer[]> {
  const publish = (name: Watermarked) => publishWatermark(ctx.redis, name, () => {});
  const run = <S>(options: ConsumerOptions<S>) => runConsumer(ctx, { ...options, leaseMs: 1_000 });
  const findGeo = await openGeoDatabase();
  const readTime = () => readWatermark(ctx.redis, "enrich");
  return [
    run({ ...createEnrichConsumer(ctx, { findGeo, producer }), ...publish("enrich") }),
    run({ ...createLakeConsumer(ctx), lingerMs: 50, readTime, ...publish("lake") }),
    run({ ...createReceiptsConsumer(ctx), lingerMs: 50, ...publish("receipts") }),
  ];
}

async function postEvents(
  port: number,
  { client_id, api_key }: Record<"client_id" | "api_key", string>,
  events: readonly object[],
) {
  for (let at = 0; at < events.length; at += 100) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${api_key}`, "x-client-id": client_id, "content-type": "application/json" },
      body: JSON.stringify(events.slice(at, at + 100)),
    });
    if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  }
}
