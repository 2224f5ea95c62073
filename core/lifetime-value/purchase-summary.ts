import { DAY_MS } from "../time.ts";

/** What a person spent on one day of the client's zone. */
export interface PurchaseDay {
  /** `2026-11-21`. */
  day: string;
  /** Money in the unit the model is to speak of. */
  revenue: number;
}

/** Recency, frequency and age of one customer, as the purchase models want them. Times in weeks since the first purchase. */
export interface PurchaseSummary {
  /** Days with purchases after the first such day. */
  frequency: number;
  /** When the last of them was; 0 where there is none. */
  recency: number;
  /** When the observation ended. */
  age: number;
}

const DAYS_PER_WEEK = 7;

/** A calendar day counted from 1970-01-01. */
export function dayNumber(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / DAY_MS;
}

/** From days counted from any one origin: first and last purchase, and the last day that was observed. */
export function summarise(frequency: number, first: number, last: number, until: number): PurchaseSummary {
  return { frequency, recency: (last - first) / DAYS_PER_WEEK, age: (until - first) / DAYS_PER_WEEK };
}

/**
 * One customer's purchases up to and with the day `until`, in any order; days may repeat. Null where there are none.
 * `mean` is the mean revenue of the repeat days, null where there are none.
 */
export function summarisePurchases(
  purchases: readonly PurchaseDay[],
  until: string,
): (PurchaseSummary & { mean: number | null }) | null {
  const byDay = new Map<string, number>();
  for (const { day, revenue } of purchases) if (day <= until) byDay.set(day, (byDay.get(day) ?? 0) + revenue);
  const days = [...byDay.keys()].toSorted();
  const first = days[0];
  if (first === undefined) return null;
  const repeats = days.slice(1);
  const spent = repeats.reduce((sum, day) => sum + byDay.get(day)!, 0);
  const summary = summarise(repeats.length, dayNumber(first), dayNumber(days.at(-1)!), dayNumber(until));
  return { ...summary, mean: repeats.length === 0 ? null : spent / repeats.length };
}
