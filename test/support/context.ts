import { randomBytes, randomInt } from "node:crypto";
import { join } from "node:path";

import { inject } from "vitest";

import { provisionStreams, provisionTables } from "../../infra/local/provision.ts";
import type { Config } from "../../platform/config.ts";
import { type Context, createContext } from "../../platform/context.ts";

/** The embedded stack as every test shares it: name a client of your own, and nobody meets anybody. */
export function createTestContext(overrides: Partial<Config> = {}): Context {
  return createContext("test", { ...inject("config"), ...overrides });
}

/**
 * The embedded stack with streams, tables, Redis database, lake and outbox of one's own; PostgreSQL is shared. For tests
 * that consume streams or count everything there is.
 */
export async function createIsolatedContext(overrides: Partial<Config> = {}): Promise<Context> {
  const shared = inject("config");
  const name = randomBytes(4).toString("hex");
  const config: Config = {
    ...shared,
    LIVORA_STREAM_EVENTS: `events-${name}`,
    LIVORA_STREAM_ENRICHED: `enriched-${name}`,
    LIVORA_USER_TABLE: `users-${name}`,
    LIVORA_LEASE_TABLE: `leases-${name}`,
    LIVORA_REDIS_URL: `${shared.LIVORA_REDIS_URL}/${randomInt(1, 256)}`,
    LIVORA_LAKE: join(shared.LIVORA_LAKE, name),
    LIVORA_SANDBOX_DIR: join(shared.LIVORA_SANDBOX_DIR, name),
    ...overrides,
  };
  await Promise.all([provisionStreams(config), provisionTables(config)]);
  return createContext("test", config);
}
