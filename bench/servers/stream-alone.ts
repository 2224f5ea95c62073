import { LANES } from "../../core/position.ts";
import type { Config } from "../../platform/config.ts";
import { createContext } from "../../platform/context.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import { serveParent } from "../child.ts";
import { makeBenchEvent } from "../load/requests.ts";
import type { LoadResult } from "../load/generator.ts";
import { percentile } from "../statistics.ts";
import { createMeter, type Usage } from "./meter.ts";

export interface StreamLoad {
  /** Events in what is appended at once. */
  batch: number;
  /** Appends under way at once. */
  appends: number;
  seconds: number;
}

/** What the embedded stream takes from our producer where nothing stands before it: no HTTP, no JSON, no checks. */
await serveParent<{ config: Config }, StreamLoad>(async ({ config }) => {
  const ctx = createContext("bench", config);
  const producer = createStreamProducer({ kinesis: ctx.kinesis, stream: config.LIVORA_STREAM_EVENTS });
  const meter = createMeter();
  const run = async ({ batch, appends, seconds }: StreamLoad): Promise<LoadResult & Usage> => {
    const payloads = Array.from({ length: 64 }, () =>
      Buffer.from(JSON.stringify(Array.from({ length: batch }, (_, i) => makeBenchEvent("bench", i)))),
    );
    const latencies: number[] = [];
    meter();
    const startedAt = performance.now();
    const endsAt = startedAt + seconds * 1000;
    const append = async (turn: number): Promise<void> => {
      const begun = performance.now();
      if (begun >= endsAt) return;
      await producer.append(turn % LANES, payloads[turn % payloads.length] as Buffer, batch);
      latencies.push(performance.now() - begun);
      await append(turn + 1);
    };
    await Promise.all(Array.from({ length: appends }, (_, i) => append(i)));
    const times = Float64Array.from(latencies);
    return {
      events: times.length * batch,
      refused: 0,
      seconds: (performance.now() - startedAt) / 1000,
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
      ...meter(),
    };
  };
  return { ready: null, answer: run };
});
