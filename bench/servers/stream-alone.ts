import { hashKeyOfLane, LANES } from "../../core/position.ts";
import type { Config } from "../../platform/config.ts";
import { type Context, createContext } from "../../platform/context.ts";
import { encodeAggregated } from "../../platform/stream/aggregation.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import { createPutRecords } from "../../platform/stream/put-records.ts";
import { serveParent } from "../child.ts";
import type { LoadResult } from "../load/generator.ts";
import { makeBenchEvent } from "../load/requests.ts";
import { percentile } from "../statistics.ts";
import { createMeter, type Usage } from "./meter.ts";

export interface StreamLoad {
  /** Through our producer, or as records made beforehand, neither grouped nor compressed. */
  through: "producer" | "plain records";
  /** Events in what is appended at once, or in a record. */
  batch: number;
  /** Appends, or puts of a record for each lane, under way at once. */
  concurrency: number;
  seconds: number;
}

const PAYLOADS = 64;

/** What the embedded stream takes where nothing stands before it: no HTTP, no JSON, no checks. */
await serveParent<{ config: Config }, StreamLoad>(async ({ config }) => {
  const ctx = createContext("bench", config);
  const append = createAppend(ctx);
  const put = createPut(ctx);
  const meter = createMeter();
  const answer = async ({ through, batch, concurrency, seconds }: StreamLoad): Promise<LoadResult & Usage> => {
    const payloads = Array.from({ length: PAYLOADS }, () => makePayload(batch));
    const send = through === "producer" ? append(payloads, batch) : put(payloads);
    const eventsInSend = through === "producer" ? batch : batch * LANES;
    meter();
    const startedAt = performance.now();
    const latencies = await keepSending(send, concurrency, startedAt + seconds * 1000);
    const times = Float64Array.from(latencies);
    return {
      events: times.length * eventsInSend,
      refused: 0,
      seconds: (performance.now() - startedAt) / 1000,
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
      ...meter(),
    };
  };
  return { ready: null, answer };
});

function makePayload(events: number): Buffer {
  return Buffer.from(JSON.stringify(Array.from({ length: events }, (_, i) => makeBenchEvent("bench", i))));
}

type Send = (turn: number) => Promise<unknown>;

function createAppend({ kinesis, config }: Context) {
  const producer = createStreamProducer({ kinesis, stream: config.LIVORA_STREAM_EVENTS });
  return (payloads: readonly Buffer[], batch: number): Send =>
    (turn) =>
      producer.append(turn % LANES, payloads[turn % PAYLOADS] as Buffer, batch);
}

function createPut({ kinesis, config }: Context) {
  const putRecords = createPutRecords(kinesis, config.LIVORA_STREAM_EVENTS, 10_000);
  return (payloads: readonly Buffer[]): Send => {
    const records = payloads.map((payload, i) => {
      const [partitionKey, hashKey] = [`lane-${i % LANES}`, hashKeyOfLane(i % LANES)];
      return { data: encodeAggregated([{ partitionKey, hashKey, records: [payload] }]), partitionKey, hashKey };
    });
    const puts = Array.from({ length: PAYLOADS / LANES }, (_, i) => records.slice(i * LANES, (i + 1) * LANES));
    return (turn) => putRecords(puts[turn % puts.length] ?? []);
  };
}

async function keepSending(send: Send, concurrency: number, endsAt: number): Promise<number[]> {
  const latencies: number[] = [];
  const loop = async (first: number) => {
    for (let turn = first, begun = performance.now(); begun < endsAt; turn++) {
      await send(turn);
      const now = performance.now();
      latencies.push(now - begun);
      begun = now;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, i) => loop(i)));
  return latencies;
}
