import { createLakeConsumer } from "../../analytics/stream/lake/consumer.ts";
import type { LakeState } from "../../analytics/stream/lake/select-rows.ts";
import { encodeEnriched } from "../../core/enriched-event.ts";
import { laneOf } from "../../core/position.ts";
import type { Config } from "../../platform/config.ts";
import { createContext } from "../../platform/context.ts";
import type { StreamEntry } from "../../platform/stream/types.ts";
import { serveParent } from "../child.ts";
import { makeBenchEvent } from "../load/requests.ts";
import { createMeter, type Usage } from "./meter.ts";

export interface LakeLoad {
  batches: number;
  batchSize: number;
}

export type LakeResult = Usage & { events: number; seconds: number };

const SEQUENCE_DIGITS = 56;
const CLIENT = "bench-lake";

/** The lake's batch handler alone: Parquet on this disk and the book in PostgreSQL, without the stream in front. */
await serveParent<{ config: Config }, LakeLoad>(async ({ config }) => {
  const consumer = createLakeConsumer(createContext("bench", config));
  const meter = createMeter();
  const signal = new AbortController().signal;
  let number = 0;
  let state: LakeState | undefined;
  const answer = async ({ batches, batchSize }: LakeLoad): Promise<LakeResult> => {
    const prepared = Array.from({ length: batches }, () =>
      Array.from({ length: batchSize }, () => makeEntry(number++)),
    );
    meter();
    const startedAt = performance.now();
    for (const entries of prepared) state = await consumer.handle({ shard: "shardId-bench", entries, state, signal });
    return { events: batches * batchSize, seconds: (performance.now() - startedAt) / 1000, ...meter() };
  };
  return { ready: null, answer };
});

function makeEntry(number: number): StreamEntry {
  const event = makeBenchEvent(CLIENT, number % 10_000);
  const sequence = String(number).padStart(SEQUENCE_DIGITS, "0");
  const { client_id, event_id, event_type, timestamp, session_id, user_id, anon_id } = event;
  const enrichment = {
    client_id,
    event_id,
    event_type,
    timestamp,
    received_at: timestamp,
    request_id: event_id,
    source: { shard: "shardId-bench", sequence, index: 0 },
    lane: laneOf(session_id),
    person: { key: `user:${user_id}`, user_id, anon_id, keys: [`user:${user_id}`, `anon:${anon_id}`] },
    session_id,
    session: { started_at: timestamp, landing_page: "/", source: "insta" },
    geo: { country: "IN", city: "Pune" },
    ua: { browser: "Chrome", os: "Android", device: "mobile" as const },
    is_bot: false,
    utm: { source: "insta", medium: "social", campaign: null, term: null, content: null },
  };
  const data = encodeEnriched(enrichment, Buffer.from(JSON.stringify(event)));
  return { sequence, index: 0, data, arrivedAtMs: 0 };
}
