import { resolve } from "node:path";

import { DefaultLogger, Runtime } from "@temporalio/worker";
import { collectDefaultMetrics, Registry } from "prom-client";

import { createDeliveryContext } from "../delivery/context.ts";
import { readConfig } from "../platform/config.ts";
import { createContext } from "../platform/context.ts";
import { drainOnSignal } from "../platform/drain.ts";
import { createEdgeCounter } from "../platform/intake/edge-counter.ts";
import { serveMetrics } from "../platform/metrics-server.ts";
import { createStreamProducer } from "../platform/stream/producer.ts";
import { connectJourneys } from "../platform/temporal.ts";
import { createAdHocWorker } from "./ad-hoc.ts";
import { createAuditWorker } from "./audit.ts";
import { createBackfillWorker } from "./backfill.ts";
import { createDeadLettersWorker } from "./dead-letters.ts";
import { createEtlWorker } from "./etl.ts";
import { createJourneyWorker } from "./journey.ts";
import { keepEtlSchedules } from "./keep-etl-schedules.ts";
import { createLakeWorker } from "./lake.ts";
import { keepRelayingEvents } from "./relay-events.ts";
import { runWorkers } from "./run-workers.ts";
import { createShardsWorker } from "./shards.ts";
import { keepSweepingBackfills } from "./sweep-backfills.ts";
import { keepSweepingBrokenRuns } from "./sweep-broken-runs.ts";
import { keepSweepingDeliveries } from "./sweep-deliveries.ts";
import { watchAudits } from "./watch-audits.ts";
import { watchEtl } from "./watch-etl.ts";

/** All task queues in one process, as on a laptop; in production each worker is its own service. */
const config = readConfig();
const base = createContext("workers", config);
const registry = new Registry();
collectDefaultMetrics({ register: registry });
installTemporalLogger();
watchAudits(registry, base.db);
watchEtl(registry, base.db);
const producer = createStreamProducer({ kinesis: base.kinesis, stream: config.LIVORA_STREAM_EVENTS });
const enriched = createStreamProducer({ kinesis: base.kinesis, stream: config.LIVORA_STREAM_ENRICHED });
const ctx = createDeliveryContext(base, { producer, registry });
const journeys = connectJourneys(config);
const metrics = await serveMetrics(registry, { host: config.LIVORA_HOST, port: config.LIVORA_WORKERS_METRICS_PORT });
const counter = createEdgeCounter(base.db, resolve(config.LIVORA_LAKE), base.log);
const sweepers = [
  keepSweepingDeliveries(ctx),
  keepRelayingEvents(ctx),
  keepSweepingBrokenRuns({ ctx, journeys }),
  keepSweepingBackfills(ctx),
  keepEtlSchedules(ctx),
];
const workers = runWorkers({
  config,
  log: ctx.log,
  create: [
    (connection) => createJourneyWorker({ ctx, journeys }, connection),
    (connection) => createLakeWorker(ctx, connection),
    (connection) => createAuditWorker(ctx, connection),
    (connection) => createEtlWorker(ctx, connection),
    (connection) => createAdHocWorker(ctx, connection),
    (connection) => createDeadLettersWorker({ ctx, streams: { events: producer, enriched } }, connection),
    (connection) => createShardsWorker(ctx, connection),
    (connection) => createBackfillWorker({ ctx, producer, counter }, connection),
  ],
  onReady: () => ctx.log.info({ port: metrics.port }, "ready"),
});

drainOnSignal(ctx.log, async () => {
  await Promise.all([workers, ...sweepers].map((part) => part.stop()));
  await Promise.all([producer.close(), enriched.close()]);
  await counter.stop();
  await Promise.all([journeys.close(), metrics.close()]);
  await ctx.close();
});

/** Temporal's own words among ours; signals are ours to handle. */
function installTemporalLogger(): void {
  const logger = new DefaultLogger("WARN", ({ level, message, meta }) => {
    const write = level === "ERROR" ? "error" : "warn";
    base.log[write](
      { err: meta?.["error"], workflow_id: meta?.["workflowId"], activity: meta?.["activityType"] },
      message,
    );
  });
  Runtime.install({ logger, shutdownSignals: [] });
}
