import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";

import { auditHour } from "../../analytics/audit/audit-hour.ts";
import { createLakeConsumer } from "../../analytics/stream/lake/consumer.ts";
import type { LakeState } from "../../analytics/stream/lake/select-rows.ts";
import { createReceiptsConsumer } from "../../analytics/stream/receipts/consumer.ts";
import { hourOf } from "../../core/audit.ts";
import { encodeEnriched } from "../../core/enriched-event.ts";
import { encodeEnvelope } from "../../core/envelope.ts";
import { laneOf } from "../../core/position.ts";
import { createEdgeJournal, type EdgeJournal } from "../../platform/intake/edge-journal.ts";
import type { Config } from "../../platform/config.ts";
import { type Context, createContext } from "../../platform/context.ts";
import { createLake } from "../../platform/lake/lake.ts";
import { edgeCounts } from "../../platform/postgres/schema.ts";
import type { StreamEntry } from "../../platform/stream/types.ts";
import { createUserStore } from "../../platform/user-store.ts";
import { createWarehouse } from "../../platform/warehouse/duckdb.ts";
import { watermarkKey } from "../../platform/watermark.ts";
import { serveParent } from "../child.ts";
import { makeBenchEvent } from "../load/requests.ts";
import { createMeter, type Usage } from "./meter.ts";

export interface AuditLoad {
  events: number;
  batchSize: number;
}

export type Measured = Usage & { seconds: number };
export interface AuditResult {
  /** The edge's notes, the receipts, the audit; and, to compare, the lake's files of the same events. */
  journal: Measured;
  receipts: Measured;
  lake: Measured;
  audit: Measured;
  /** Of the events, according to the audit. */
  inLake: number;
}

const SHARD = "shardId-bench";
const REQUEST = 10;
const SEQUENCE_DIGITS = 56;
const NEVER = new AbortController().signal;

/** What the audit costs over all: at the edge, behind the stream, and when it looks. One hour of one client. */
await serveParent<{ config: Config }, AuditLoad>(async ({ config }) => {
  let round = 0;
  const answer = async (load: AuditLoad): Promise<AuditResult> => {
    // A lake for each round: an hour that is audited is one that has just been written.
    const ctx = createContext("bench", { ...config, LIVORA_LAKE: join(config.LIVORA_LAKE, `audit-${round++}`) });
    try {
      return await measureHour(ctx, load);
    } finally {
      await ctx.close();
    }
  };
  return { ready: null, answer };
});

async function measureHour(ctx: Context, { events, batchSize }: AuditLoad): Promise<AuditResult> {
  const origin = {
    client: `bench-audit-${randomUUID().slice(0, 8)}`,
    edge: randomBytes(6).toString("base64url"),
    nowMs: Date.now(),
  };
  const batches = prepare(origin, events, batchSize);
  const lake = createLake(ctx.config.LIVORA_LAKE);
  const journal = await measure(() => note(origin, createEdgeJournal(lake.root, origin.edge, ctx.log), batches));
  const receipts = await measure(() => writeReceipts(createReceiptsConsumer(ctx), batches));
  const written = await measure(() => writeLake(createLakeConsumer(ctx), batches));
  await settle(ctx, origin, events);
  const warehouse = createWarehouse({ memoryLimit: "512MB", threads: 1, tempFolder: join(lake.root, "_tmp/spill") });
  const deps = { ctx, lake, warehouse, store: createUserStore(ctx), patienceMs: 0 };
  let inLake = 0;
  const audit = await measure(async () => {
    const [hour] = await auditHour(deps, { hourMs: hourOf(origin.nowMs), clientId: origin.client });
    inLake = (hour?.in_lake ?? 0) - (hour?.unexplained ?? 0);
  });
  await warehouse.close();
  return { journal, receipts, lake: written, audit, inLake };
}

const meter = createMeter();

async function measure(work: () => Promise<unknown>): Promise<Measured> {
  meter();
  const startedAt = performance.now();
  await work();
  return { seconds: (performance.now() - startedAt) / 1000, ...meter() };
}

/** Each request by itself: as an edge does that has little to do. */
async function note({ client, nowMs }: Origin, journal: EdgeJournal, batches: readonly Batch[]): Promise<void> {
  let envelope = 0;
  for (const { ids } of batches)
    for (let at = 0; at < ids.length; at += REQUEST)
      await journal.note(client, nowMs, [{ envelope: ++envelope, eventIds: ids.slice(at, at + REQUEST) }]);
  journal.close();
}

async function writeReceipts(consumer: ReturnType<typeof createReceiptsConsumer>, batches: readonly Batch[]) {
  for (const { envelopes } of batches)
    await consumer.handle({ shard: SHARD, entries: envelopes, state: null, signal: NEVER });
}

async function writeLake(consumer: ReturnType<typeof createLakeConsumer>, batches: readonly Batch[]) {
  let state: LakeState | undefined;
  for (const { enriched } of batches)
    state = await consumer.handle({ shard: SHARD, entries: enriched, state, signal: NEVER });
}

/** As edge and consumers would tell it, a little later. */
async function settle(ctx: Context, { client, edge, nowMs }: Origin, events: number): Promise<void> {
  const hour = new Date(hourOf(nowMs)).toISOString();
  const count = { acknowledged: events, unsure: 0, final: true, flushed_at: new Date(nowMs).toISOString() };
  await ctx.db.insert(edgeCounts).values({ edge, client_id: client, hour, ...count });
  for (const name of ["receipts", "lake"] as const) {
    await ctx.redis.del(watermarkKey(name));
    await ctx.redis.hset(watermarkKey(name), SHARD, Date.now() + 60_000);
  }
}

interface Origin {
  client: string;
  edge: string;
  nowMs: number;
}

interface Batch {
  ids: string[];
  envelopes: StreamEntry[];
  enriched: StreamEntry[];
}

/** The same events as "events" has them, in envelopes of a request each, and as "enriched" has them. */
function prepare({ client, edge, nowMs }: Origin, events: number, batchSize: number): Batch[] {
  const received_at = new Date(nowMs).toISOString();
  let envelope = 0;
  return Array.from({ length: Math.ceil(events / batchSize) }, (_, n) => {
    const first = n * batchSize;
    const size = Math.min(batchSize, events - first);
    const all = Array.from({ length: size }, (_, i) => makeBenchEvent(client, (first + i) % 10_000));
    const batch: Batch = { ids: all.map((event) => event.event_id), envelopes: [], enriched: [] };
    for (let at = 0; at < size; at += REQUEST) {
      const sequence = String(first + at).padStart(SEQUENCE_DIGITS, "0");
      const some = all.slice(at, at + REQUEST);
      const header = { client_id: client, received_at, request_id: "bench", edge, envelope: ++envelope };
      const data = encodeEnvelope(
        header,
        some.map((event) => Buffer.from(JSON.stringify(event))),
      );
      batch.envelopes.push({ sequence, index: 0, data, arrivedAtMs: nowMs });
      for (const [index, event] of some.entries())
        batch.enriched.push(enrichedEntry(event, sequence, index, received_at));
    }
    return batch;
  });
}

function enrichedEntry(
  event: ReturnType<typeof makeBenchEvent>,
  sequence: string,
  index: number,
  received_at: string,
): StreamEntry {
  const { client_id, event_id, event_type, timestamp, session_id, user_id, anon_id } = event;
  const enrichment = {
    client_id,
    event_id,
    event_type,
    timestamp,
    received_at,
    request_id: "bench",
    source: { shard: SHARD, sequence, index },
    lane: laneOf(session_id),
    person: { key: `user:${user_id}`, user_id, anon_id, keys: [`user:${user_id}`, `anon:${anon_id}`] },
    session_id,
    session: { started_at: timestamp, landing_page: "/", source: "insta" },
    geo: { country: "IN", city: "Pune" },
    ua: { browser: "Chrome", os: "Android", device: "mobile" as const },
    is_bot: false,
    utm: { source: "insta", medium: "social", campaign: null, term: null, content: null },
  };
  // Within "enriched" each has a place of its own, in the same order.
  const place = { sequence, index };
  return { ...place, data: encodeEnriched(enrichment, Buffer.from(JSON.stringify(event))), arrivedAtMs: 0 };
}
