import type { JourneyClient } from "../crm/journey-client.ts";
import type { ReplayClient } from "../crm/replay-client.ts";
import { createDeliveryMetrics, type WebhookContext } from "../delivery/index.ts";
import { type Cache, createCache } from "../platform/cache.ts";
import { type Context, createContext } from "../platform/context.ts";
import type { Config } from "../platform/config.ts";
import { createKeyring, type Keyring } from "../platform/keyring.ts";
import { connectPostgres, type Database } from "../platform/postgres/database.ts";
import { createStreamProducer } from "../platform/stream/producer.ts";
import { createUserStore, type UserStore } from "../platform/user-store.ts";
import { connectJourneyClient } from "./journey-client.ts";
import { type ApiMetrics, createMetrics } from "./metrics.ts";
import type { BackfillClient } from "../crm/backfill-client.ts";
import type { EtlClient } from "../crm/etl-run.ts";
import { createBackfillClient } from "./backfill-client.ts";
import { createEtlClient } from "./etl-client.ts";
import { createReplayClient } from "./replay-client.ts";
import { connectShardClient, type ShardClient } from "./shard-client.ts";
import { connectWorkflowClient, type WorkflowClient } from "./workflow-client.ts";

/** What the API needs of the world: everything that services share, and its own ways to tenants and runs. */
export interface ApiContext extends Context {
  /** As the tenant role: sees nothing until it is bound to a client. */
  tenantDb: Database;
  keyring: Keyring;
  journeys: JourneyClient;
  replays: ReplayClient;
  backfills: BackfillClient;
  etl: EtlClient;
  workflows: WorkflowClient;
  shards: ShardClient;
  store: UserStore;
  /** What has been answered lately. */
  cache: Cache;
  /** What providers report goes into the ledger and, as events, onto the stream. */
  webhooks: WebhookContext;
  metrics: ApiMetrics;
}

export function createApiContext(config: Config, overrides: Partial<ApiContext> = {}): ApiContext {
  const shared = createContext("api", config, overrides);
  const tenant = connectPostgres(config.LIVORA_POSTGRES_TENANT_URL, shared.log);
  const journeys = connectJourneyClient(config, shared.log);
  const workflows = connectWorkflowClient(config, shared.log);
  const shards = connectShardClient(config, shared.log);
  const metrics = createMetrics(shared.db);
  const keyring = createKeyring(shared.db, shared.log);
  const producer = createStreamProducer({ kinesis: shared.kinesis, stream: config.LIVORA_STREAM_EVENTS });
  return {
    ...shared,
    metrics,
    store: createUserStore(shared),
    cache: createCache(shared),
    webhooks: { ...shared, producer, deliveryMetrics: createDeliveryMetrics(metrics.registry) },
    tenantDb: overrides.tenantDb ?? tenant.db,
    keyring,
    journeys: overrides.journeys ?? journeys,
    replays: overrides.replays ?? createReplayClient(workflows),
    workflows: overrides.workflows ?? workflows,
    etl: overrides.etl ?? createEtlClient(workflows),
    backfills: overrides.backfills ?? createBackfillClient(workflows),
    shards: overrides.shards ?? shards,
    async close() {
      keyring.stop();
      await Promise.all([tenant.close(), journeys.close(), workflows.close(), shards.close(), producer.close()]);
      await shared.close();
    },
  };
}
