import { eq } from "drizzle-orm";

import { zoneOf } from "../core/zoned-time.ts";
import type { Database } from "../platform/postgres/database.ts";
import { clients } from "../platform/postgres/schema.ts";

/** IANA zone of the client's days. */
export async function readTimeZone(db: Pick<Database, "query">, clientId: string): Promise<string> {
  const client = await db.query.clients.findFirst({ where: eq(clients.id, clientId) });
  return zoneOf(client?.settings ?? {});
}
