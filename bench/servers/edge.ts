import { startIngestServer } from "../../ingest/server.ts";
import type { Config } from "../../platform/config.ts";
import { createContext } from "../../platform/context.ts";
import type { StreamProducer } from "../../platform/stream/types.ts";
import { serveParent } from "../child.ts";
import { createMeter } from "./meter.ts";

export interface EdgeOptions {
  config: Config;
  /** Where the bytes go: the embedded stream, or nowhere. */
  onto: "stream" | "sink";
}

/** The edge as it is in production, keys and limits and all. */
await serveParent<EdgeOptions, null>(async ({ config, onto }) => {
  const ctx = createContext("bench", config);
  const server = await startIngestServer(ctx, onto === "sink" ? { producer: createSink() } : {});
  return { ready: server.port, answer: createMeter() };
});

/** Acknowledges in the next turn, as the nearest possible stream would. */
function createSink(): StreamProducer {
  return {
    append: () =>
      new Promise((resolve) => {
        setImmediate(resolve, { shard: "shardId-000000000000", sequence: "1", index: 0 });
      }),
    pendingBytes: 0,
    async close() {},
  };
}
