import { readFileSync } from "node:fs";

import { NativeConnection } from "@temporalio/worker";

import type { Config } from "../../platform/config.ts";
import { type Context, createContext } from "../../platform/context.ts";
import { lakeFiles } from "../../platform/postgres/schema.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import type { StreamProducer } from "../../platform/stream/types.ts";
import { createDeadLettersWorker } from "../../workers/dead-letters.ts";

/**
 * The worker of dead letters as a process of its own, to be killed: `dead-letters-worker.ts <config.json> [flaw]`. It says
 * `ready`. With a number as its flaw the streams take more puts than that, but this process never hears of it; with `unbooked`
 * it gets stuck once a file lies in the lake, before that is in the book. Then it says `deaf`.
 */
const [, , file = "", flaw] = process.argv;
const own = createContext("dead-letters-worker", JSON.parse(readFileSync(file, "utf8")) as Config);
const ctx = flaw === "unbooked" ? { ...own, db: withoutBook(own) } : own;
const { LIVORA_STREAM_EVENTS, LIVORA_STREAM_ENRICHED, LIVORA_TEMPORAL_ADDRESS: address } = ctx.config;
let left = flaw === undefined || flaw === "unbooked" ? Number.POSITIVE_INFINITY : Number(flaw);

const streams = { events: hardOfHearing(LIVORA_STREAM_EVENTS), enriched: hardOfHearing(LIVORA_STREAM_ENRICHED) };
const worker = await createDeadLettersWorker({ ctx, streams }, await NativeConnection.connect({ address }));
process.stdout.write("ready\n");
await worker.run();

function hardOfHearing(stream: string): Pick<StreamProducer, "append"> {
  const producer = createStreamProducer({ kinesis: ctx.kinesis, stream });
  return {
    async append(...args) {
      const place = await producer.append(...args);
      return left-- > 0 ? place : getStuck();
    },
  };
}

function withoutBook({ db }: Context): Context["db"] {
  const getStuckThere = { values: () => ({ onConflictDoUpdate: () => ({ returning: getStuck }) }) };
  return new Proxy(db, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      if (name === "insert")
        return (table: unknown) => (table === lakeFiles ? getStuckThere : target.insert(table as never));
      return typeof found === "function" ? found.bind(target) : found;
    },
  });
}

function getStuck(): Promise<never> {
  process.stdout.write("deaf\n");
  return new Promise(() => {});
}
