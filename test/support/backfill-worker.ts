import { once } from "node:events";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { NativeConnection } from "@temporalio/worker";

import type { Config } from "../../platform/config.ts";
import { createContext } from "../../platform/context.ts";
import { createEdgeCounter } from "../../platform/intake/edge-counter.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import { createBackfillWorker } from "../../workers/backfill.ts";

/**
 * The worker of backfills as a process of its own, to be killed: `backfill-worker.ts <config.json> [puts]`. It says `ready`, and begins
 * when it is told so. With a number of puts the stream takes more than that, but this process never hears of it, and says `deaf`.
 */
const [, , file = "", puts] = process.argv;
const ctx = createContext("backfill-worker", JSON.parse(readFileSync(file, "utf8")) as Config);
const producer = createStreamProducer({ kinesis: ctx.kinesis, stream: ctx.config.LIVORA_STREAM_EVENTS });
const counter = createEdgeCounter(ctx.db, resolve(ctx.config.LIVORA_LAKE), ctx.log);

let left = puts === undefined ? Number.POSITIVE_INFINITY : Number(puts);
const append: typeof producer.append = async (...args) => {
  const place = await producer.append(...args);
  if (left-- > 0) return place;
  process.stdout.write("deaf\n");
  return new Promise(() => {});
};

const connection = await NativeConnection.connect({ address: ctx.config.LIVORA_TEMPORAL_ADDRESS });
const parts = { ctx, producer: { ...producer, append }, counter };
const worker = await createBackfillWorker(parts, connection);
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.destroy();
await worker.run();
