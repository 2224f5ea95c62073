import { addDays, dayIn } from "../../core/calendar-day.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readTimeZone } from "../read-time-zone.ts";

/** The client's yesterday: the last day that will get no more purchases but late ones. */
export async function readLastWholeDay(tx: Transaction, clientId: string, nowMs: number): Promise<string> {
  return addDays(dayIn(await readTimeZone(tx, clientId), nowMs), -1);
}
