import { sql } from "drizzle-orm";

import type { Logger } from "../platform/logger.ts";
import type { Database } from "../platform/postgres/database.ts";

/** Ends journeys by common consent, whatever a campaign says. */
const ALWAYS = "purchase";
const REFRESH_EVERY_MS = 1_000;

/** The event types that may end a running journey, by client. */
export interface ExitEvents {
  has(clientId: string, eventType: string): boolean;
  refresh(): Promise<void>;
  stop(): void;
}

/**
 * Read from the versions of all campaigns that may have runs under way, old versions too. While the database is away the
 * last known set holds.
 */
export function createExitEvents(db: Database, log: Logger): ExitEvents {
  let byClient = new Map<string, Set<string>>();
  let isStopped = false;

  const refresh = async () => {
    clearTimeout(timer);
    try {
      byClient = await readExitEvents(db);
    } catch (error) {
      log.debug({ err: error instanceof Error ? error.message : String(error) }, "exit events not refreshed");
    }
    if (!isStopped) timer = setTimeout(refresh, REFRESH_EVERY_MS).unref();
  };
  let timer = setTimeout(refresh, 0).unref();

  return {
    has: (clientId, eventType) => eventType === ALWAYS || (byClient.get(clientId)?.has(eventType) ?? false),
    refresh,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

async function readExitEvents(db: Database): Promise<Map<string, Set<string>>> {
  const rows = await db.execute<{ client_id: string; event_type: string }>(sql`
    select distinct v.client_id, e.value ->> 'event_type' as event_type
    from campaign_versions v
    join campaigns c on c.client_id = v.client_id and c.id = v.campaign_id and c.state in ('active', 'paused')
    cross join lateral jsonb_array_elements(v.journey -> 'exit_on') e`);
  const byClient = new Map<string, Set<string>>();
  for (const { client_id, event_type } of rows) {
    const types = byClient.get(client_id) ?? new Set();
    byClient.set(client_id, types.add(event_type));
  }
  return byClient;
}
