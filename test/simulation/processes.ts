import { Registry } from "prom-client";

import { createCampaignActivities } from "../../activities/campaign.ts";
import { createJourneyActivities } from "../../activities/journey.ts";
import { createAutomationConsumer } from "../../analytics/stream/automation/consumer.ts";
import { createEnrichConsumer } from "../../analytics/stream/enrich/consumer.ts";
import type { CrmContext } from "../../crm/context.ts";
import { pauseCampaign } from "../../crm/pause-campaign.ts";
import { resumeCampaign } from "../../crm/resume-campaign.ts";
import { deliver } from "../../delivery/deliver.ts";
import type { DeliveryContext } from "../../delivery/context.ts";
import { createDeliveryMetrics } from "../../delivery/metrics.ts";
import { sweepDeliveries } from "../../delivery/sweep.ts";
import { type Report, takeReport } from "../../delivery/webhooks/take-report.ts";
import type { Context } from "../../platform/context.ts";
import { runConsumer } from "../../platform/stream/consumer.ts";
import { createLeaseStore } from "../../platform/stream/lease-store.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import { createShardMap } from "../../platform/stream/shard-map.ts";
import type { Consumer, StreamProducer } from "../../platform/stream/types.ts";
import type { UserStore } from "../../platform/user-store.ts";
import { publishWatermark } from "../../platform/watermark.ts";
import type { Clock, Proc } from "./clock.ts";
import { CAMPAIGN } from "./scenario.ts";
import type { createModelDocuments } from "./documents.ts";
import { createEdge } from "./edge.ts";
import type { createLakeModel } from "./lake.ts";
import type { Network } from "./network.ts";
import type { ModelProviders } from "./providers.ts";
import type { ModelStream } from "./stream.ts";
import type { ModelTemporal } from "./temporal.ts";

export interface ProcessParts {
  ctx: Context;
  clock: Clock;
  network: Network;
  events: ModelStream;
  enriched: ModelStream;
  store: UserStore;
  documents: ReturnType<typeof createModelDocuments>;
  lake: ReturnType<typeof createLakeModel>;
  temporal: ModelTemporal;
  providers: ModelProviders;
}

/** How long things may take here: in proportion to the rest of a seed, which is over in a minute. */
const LEASE_MS = 2_500;
const PATIENCE = { providerMs: 4_500, watermarkMs: 5_000, unknownMs: 9_000 };
const SWEEP_EVERY_MS = 4_000;
const SWEEP_IDLE_MS = 2_500;

function openProducer({ ctx }: ProcessParts, stream: ModelStream): StreamProducer {
  const { kinesis } = ctx;
  const shardMap = createShardMap(kinesis, stream.name);
  return createStreamProducer({
    kinesis,
    stream: stream.name,
    putRecords: stream.putRecords,
    shardMap,
    deadlineMs: 3_000,
  });
}

/** `ingest/main.ts` */
export function bootEdge(parts: ProcessParts): ReturnType<typeof createEdge> {
  return createEdge(parts.ctx, openProducer(parts, parts.events), parts.clock);
}

/** `analytics/main.ts`, with a lake in memory and without the counters. */
export function bootConsumers(parts: ProcessParts): void {
  const { ctx, store, documents, lake, temporal, network } = parts;
  const producer = openProducer(parts, parts.enriched);
  const enrich = createEnrichConsumer(ctx, { findGeo: () => null, producer, store });
  const automation = createAutomationConsumer(ctx, { journeys: temporal.connect(network), store, sweepEveryMs: 2_000 });
  const run = <State>(options: Parameters<typeof runConsumer<State>>[1]): Consumer =>
    runConsumer(ctx, { ...options, leaseMs: LEASE_MS }, (lease, where) => createLeaseStore(lease, where, documents));
  const journeys = run(automation);
  run({
    ...enrich,
    ...publishWatermark(ctx.redis, "enrich", () => undefined),
    async handle(batch) {
      const state = await enrich.handle(batch);
      journeys.poke();
      return state;
    },
  });
  run(lake.consumer(ctx.config.LIVORA_STREAM_ENRICHED));
}

function openDelivery(parts: ProcessParts): DeliveryContext {
  return {
    ...parts.ctx,
    producer: openProducer(parts, parts.events),
    providers: parts.providers.connect(parts.network),
    deliveryMetrics: createDeliveryMetrics(new Registry()),
    patience: PATIENCE,
  };
}

/** `workers/main.ts`, as far as journeys and deliveries go. */
export function bootWorker(parts: ProcessParts, proc: Proc): void {
  const { ctx, store, temporal, network } = parts;
  const delivery = openDelivery(parts);
  temporal.register(proc, {
    ...createJourneyActivities({ ctx, store, deliver: (request) => deliver(delivery, request) }),
    ...createCampaignActivities({ ctx, journeys: temporal.connect(network) }),
  });
  setInterval(() => {
    sweepDeliveries(delivery, { idleMs: SWEEP_IDLE_MS }).catch(() => undefined);
  }, SWEEP_EVERY_MS);
}

export interface Api {
  report(report: Report): Promise<void>;
  /** The campaign that is carried on by that client. */
  pause(client: string): Promise<unknown>;
  resume(client: string): Promise<unknown>;
}

/** `api/main.ts`, as far as webhooks go, and the verbs that hold a campaign and let it go on. */
export function bootApi(parts: ProcessParts): Api {
  const { ctx, temporal, network } = parts;
  const delivery = openDelivery(parts);
  const journeys = temporal.connectApi(network);
  const crmOf = (client_id: string) =>
    ({
      ...ctx,
      journeys,
      principal: { client_id, actor: "key:simulation", scopes: ["admin"], request_id: "simulation" },
    }) as unknown as CrmContext;
  return {
    report: (report) => takeReport(delivery, report),
    pause: (client) => pauseCampaign(crmOf(client), { id: CAMPAIGN }),
    resume: (client) => resumeCampaign(crmOf(client), { id: CAMPAIGN }),
  };
}
