import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";

import type { Context } from "../platform/context.ts";
import { createStreamProducer } from "../platform/stream/producer.ts";
import type { StreamProducer } from "../platform/stream/types.ts";
import { createEdgeCounter } from "../platform/intake/edge-counter.ts";
import { createExitEvents } from "./exit-events.ts";
import { createHandler } from "./handler.ts";
import { createKeyring } from "../platform/keyring.ts";
import { createLimiter } from "./limit.ts";
import { createIngestMetrics, type IngestMetrics } from "./metrics.ts";
import { createReadiness } from "./readiness.ts";

export interface IngestServer {
  port: number;
  /** Takes no more, answers what it has, waits until the stream has all of it. The context stays open. */
  close(): Promise<void>;
}

/** The edge: listens on the configured host and port, 0 for any. */
export async function startIngestServer(
  ctx: Context,
  overrides: { producer?: StreamProducer } = {},
): Promise<IngestServer> {
  const metrics = createIngestMetrics();
  const producer = overrides.producer ?? createEventsProducer(ctx, metrics);
  metrics.watchPending(() => producer.pendingBytes);
  const keyring = createKeyring(ctx.db, ctx.log);
  const exits = createExitEvents(ctx.db, ctx.log);
  const counter = createEdgeCounter(ctx.db, resolve(ctx.config.LIVORA_LAKE), ctx.log);
  connectEarly(ctx);
  let isDraining = false;
  const handle = createHandler({
    ...ctx,
    producer,
    counter,
    keyring,
    exits,
    metrics,
    limiter: createLimiter(ctx.redis),
    proxies: ctx.config.LIVORA_INGEST_PROXIES,
    readiness: createReadiness(ctx, keyring),
    isDraining: () => isDraining,
  });
  const server = createServer(LIMITS, handle);
  const port = await listen(server, ctx.config.LIVORA_INGEST_PORT, ctx.config.LIVORA_HOST);
  return {
    port,
    async close() {
      isDraining = true;
      await closeServer(server);
      await producer.close();
      await counter.stop();
      keyring.stop();
      exits.stop();
    },
  };
}

/** Slow senders are cut off; keep-alive outlasts a load balancer's, so that it never meets a closing socket. */
const LIMITS = {
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
};

function createEventsProducer({ config, kinesis }: Context, metrics: IngestMetrics): StreamProducer {
  const { countPut: onPut, countRetry: onRetry } = metrics;
  return createStreamProducer({ kinesis, stream: config.LIVORA_STREAM_EVENTS, onPut, onRetry });
}

/** Redis is only asked when it is there, so it has to be there before the first request. */
function connectEarly({ redis, log }: Context): void {
  if (redis.status === "wait") redis.connect().catch((error: Error) => log.debug({ err: error.message }, "redis"));
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((listening, reject) => {
    server.once("error", reject);
    server.listen(port, host, 1024, () => listening((server.address() as AddressInfo).port));
  });
}

function closeServer(server: Server): Promise<void> {
  // Connections that were busy at first are idle once they have their answer.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  return new Promise((closed, reject) => {
    server.close((error) => {
      clearInterval(sweep);
      if (error) reject(error);
      else closed();
    });
  });
}
