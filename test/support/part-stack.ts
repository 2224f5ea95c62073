import { join } from "node:path";

import { postgresAdminUrl } from "../../infra/local/parts/postgres.ts";
import { provision } from "../../infra/local/provision.ts";
import type { Config } from "../../platform/config.ts";
import { migrate } from "../../platform/postgres/migrate.ts";
import { ensureTemporalNamespace } from "./temporal-namespace.ts";

/**
 * One stack for test files that run side by side: to each its own database, streams, tables, Redis database, folders and
 * namespace. The servers are the same, and nothing in them is. May be repeated; brings every database up to date.
 */
export async function partStack(whole: Config, parts: number): Promise<Config[]> {
  const configs = Array.from({ length: parts }, (_, place) => (place === 0 ? whole : takePart(whole, place + 1)));
  const admin = postgresAdminUrl(Number(new URL(whole.LIVORA_POSTGRES_URL).port));
  // One after the other: roles are the whole server's.
  for (const config of configs) {
    await provision(config, admin);
    await migrate(config.LIVORA_POSTGRES_URL);
    if (config !== whole)
      await ensureTemporalNamespace(config.LIVORA_TEMPORAL_ADDRESS, config.LIVORA_TEMPORAL_NAMESPACE);
  }
  return configs;
}

function takePart(whole: Config, number: number): Config {
  return {
    ...whole,
    LIVORA_POSTGRES_URL: `${whole.LIVORA_POSTGRES_URL}_${number}`,
    LIVORA_POSTGRES_TENANT_URL: `${whole.LIVORA_POSTGRES_TENANT_URL}_${number}`,
    LIVORA_REDIS_URL: `${whole.LIVORA_REDIS_URL}/${number}`,
    LIVORA_TEMPORAL_NAMESPACE: `part-${number}`,
    LIVORA_STREAM_EVENTS: `${whole.LIVORA_STREAM_EVENTS}-${number}`,
    LIVORA_STREAM_ENRICHED: `${whole.LIVORA_STREAM_ENRICHED}-${number}`,
    LIVORA_USER_TABLE: `${whole.LIVORA_USER_TABLE}-${number}`,
    LIVORA_LEASE_TABLE: `${whole.LIVORA_LEASE_TABLE}-${number}`,
    LIVORA_LAKE: join(whole.LIVORA_LAKE, `part-${number}`),
    LIVORA_SANDBOX_DIR: join(whole.LIVORA_SANDBOX_DIR, `part-${number}`),
  };
}
