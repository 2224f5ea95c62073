import { collectDefaultMetrics, Registry } from "prom-client";

import { readConfig } from "../platform/config.ts";
import { createContext } from "../platform/context.ts";
import { drainOnSignal } from "../platform/drain.ts";
import { serveMetrics } from "../platform/metrics-server.ts";
import { createStreamProducer } from "../platform/stream/producer.ts";
import { runConsumers } from "./run-consumers.ts";
import { openGeoDatabase } from "./stream/enrich/geo-database.ts";

/** All consumers of the streams in one process, as on a laptop; in production each is a service of its own. */
const config = readConfig();
const ctx = createContext("consumers", config);
const registry = new Registry();
collectDefaultMetrics({ register: registry });
const producer = createStreamProducer({ kinesis: ctx.kinesis, stream: config.LIVORA_STREAM_ENRICHED });
const consumers = runConsumers({ ctx, findGeo: await openGeoDatabase(), producer, registry });
const metrics = await serveMetrics(registry, {
  host: config.LIVORA_HOST,
  port: config.LIVORA_CONSUMERS_METRICS_PORT,
  isReady: () => consumers.isReady(),
});
ctx.log.info({ port: metrics.port }, "ready");

drainOnSignal(ctx.log, async () => {
  await consumers.stop();
  await producer.close();
  await metrics.close();
  await ctx.close();
});
