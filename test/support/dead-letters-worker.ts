import { readFileSync } from "node:fs";

import { NativeConnection } from "@temporalio/worker";

import type { Config } from "../../platform/config.ts";
import { createContext } from "../../platform/context.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import { createDeadLettersWorker } from "../../workers/dead-letters.ts";

/**
 * The worker of dead letters as a process of its own, to be killed: `dead-letters-worker.ts <config.json> [puts]`. It says
 * `ready`. With a number of puts the stream takes more than that, but this process never hears of it.
 */
const [, , file = "", puts] = process.argv;
const ctx = createContext("dead-letters-worker", JSON.parse(readFileSync(file, "utf8")) as Config);
const [events, enriched] = [ctx.config.LIVORA_STREAM_EVENTS, ctx.config.LIVORA_STREAM_ENRICHED].map((stream) =>
  createStreamProducer({ kinesis: ctx.kinesis, stream }),
) as [ReturnType<typeof createStreamProducer>, ReturnType<typeof createStreamProducer>];

let left = puts === undefined ? Number.POSITIVE_INFINITY : Number(puts);
const append: typeof events.append = async (...args) => {
  const place = await events.append(...args);
  if (left-- > 0) return place;
  process.stdout.write("deaf\n");
  return new Promise(() => {});
};

const connection = await NativeConnection.connect({ address: ctx.config.LIVORA_TEMPORAL_ADDRESS });
const worker = await createDeadLettersWorker({ ctx, streams: { events: { append }, enriched } }, connection);
process.stdout.write("ready\n");
await worker.run();
