import type { JourneyClient } from "../crm/journey-client.ts";
import { type Context, createContext } from "../platform/context.ts";
import type { Config } from "../platform/config.ts";
import { connectPostgres, type Database } from "../platform/postgres/database.ts";
import { connectJourneys } from "./journeys.ts";

/** What the API needs of the world: everything that services share, and its own ways to tenants and runs. */
export interface ApiContext extends Context {
  /** As the tenant role: sees nothing until it is bound to a client. */
  tenantDb: Database;
  journeys: JourneyClient;
}

export function createApiContext(config: Config, overrides: Partial<ApiContext> = {}): ApiContext {
  const shared = createContext("api", config, overrides);
  const tenant = connectPostgres(config.LIVORA_POSTGRES_TENANT_URL, shared.log);
  const journeys = connectJourneys(config, shared.log);
  return {
    ...shared,
    tenantDb: overrides.tenantDb ?? tenant.db,
    journeys: overrides.journeys ?? journeys,
    async close() {
      await Promise.all([tenant.close(), journeys.close()]);
      await shared.close();
    },
  };
}
