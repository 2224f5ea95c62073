import { eq } from "drizzle-orm";

import { etlClients } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";

/** What had come in by then is in the aggregates, ISO 8601; null where there are none yet. */
export async function readAsOf(tx: Transaction, clientId: string): Promise<string | null> {
  const found = await tx.query.etlClients.findFirst({ where: eq(etlClients.client_id, clientId) });
  return found?.as_of ? new Date(found.as_of).toISOString() : null;
}
