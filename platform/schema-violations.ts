import { VIOLATION_DAYS, type ViolationHour, violationHourOf } from "../core/event-schema/violations.ts";
import { DAY_MS, HOUR_MS } from "../core/time.ts";
import type { ItemKey, UserStore } from "./user-store.ts";

/** One item for each client, event type and hour of receipt. Named otherwise than the live counters' minutes. */
export function violationKey(client: string, eventType: string, atMs: number): ItemKey {
  return { client, kind: "COUNTER", owner: `schema:${eventType}`, sort: `HOUR#${violationHourOf(atMs)}` };
}

/** Epoch seconds: the same for all that write the item. */
export function violationExpiry(atMs: number): number {
  return (Math.floor(atMs / HOUR_MS) * HOUR_MS + HOUR_MS + VIOLATION_DAYS * DAY_MS) / 1000;
}

/** Oldest first; without hours in which everything fitted. */
export async function readViolations(
  store: Pick<UserStore, "read">,
  { clientId, eventType }: { clientId: string; eventType: string },
  range: { fromMs: number; toMs: number },
): Promise<{ hour: string; found: ViolationHour }[]> {
  const hours: number[] = [];
  for (let at = Math.floor(range.fromMs / HOUR_MS) * HOUR_MS; at < range.toMs; at += HOUR_MS) hours.push(at);
  const items = await store.read(hours.map((at) => violationKey(clientId, eventType, at)));
  return hours.flatMap((at, n) => {
    const found = items[n]?.data as ViolationHour | undefined;
    return found === undefined ? [] : [{ hour: violationHourOf(at), found }];
  });
}
