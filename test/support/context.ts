import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { Redis } from "ioredis";

import { provisionStreams, provisionTables } from "../../infra/local/provision.ts";
import type { Config } from "../../platform/config.ts";
import { type Context, createContext } from "../../platform/context.ts";
import { stackConfig } from "./stack-config.ts";

/** Of Redis' 256 the first belong to the parts of the stack. */
const REDIS_DATABASES = { first: 16, count: 240 };

/** The embedded stack as every test of a file shares it: name a client of your own, and nobody meets anybody. */
export function createTestContext(overrides: Partial<Config> = {}): Context {
  return createContext("test", { ...stackConfig(), ...overrides });
}

/**
 * The embedded stack with streams, tables, Redis database, lake and outbox of one's own; PostgreSQL is shared with the files
 * that ran before. For tests that consume streams or count everything there is.
 */
export async function createIsolatedContext(overrides: Partial<Config> = {}): Promise<Context> {
  const shared = stackConfig();
  const name = randomBytes(4).toString("hex");
  const config: Config = {
    ...shared,
    LIVORA_STREAM_EVENTS: `events-${name}`,
    LIVORA_STREAM_ENRICHED: `enriched-${name}`,
    LIVORA_USER_TABLE: `users-${name}`,
    LIVORA_LEASE_TABLE: `leases-${name}`,
    LIVORA_REDIS_URL: await takeRedisDatabase(shared.LIVORA_REDIS_URL),
    LIVORA_LAKE: join(shared.LIVORA_LAKE, name),
    LIVORA_SANDBOX_DIR: join(shared.LIVORA_SANDBOX_DIR, name),
    ...overrides,
  };
  await Promise.all([provisionStreams(config), provisionTables(config)]);
  return createContext("test", config);
}

/** An empty one that nobody has had for a long time, whoever else takes one at this moment. */
async function takeRedisDatabase(url: string): Promise<string> {
  const server = new URL("/", url).href;
  const redis = new Redis(server, { lazyConnect: true });
  try {
    const taken = await redis.incr("test-databases-taken");
    const number = REDIS_DATABASES.first + (taken % REDIS_DATABASES.count);
    await redis.select(number);
    await redis.flushdb();
    return `${server}${number}`;
  } finally {
    redis.disconnect();
  }
}
