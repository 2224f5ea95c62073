import { eq } from "drizzle-orm";

import { dayIn } from "../../core/calendar-day.ts";
import { DAY_MS } from "../../core/time.ts";
import { zoneOf } from "../../core/zoned-time.ts";
import { clients } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";

/** The client's yesterday: the last day that will get no more purchases but late ones. */
export async function readLastWholeDay(tx: Transaction, clientId: string, nowMs: number): Promise<string> {
  const client = await tx.query.clients.findFirst({ where: eq(clients.id, clientId) });
  return dayBefore(dayIn(zoneOf(client?.settings ?? {}), nowMs));
}

function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - DAY_MS).toISOString().slice(0, 10);
}
