import { DAY_MS } from "../../core/time.ts";
import { readCdnowSample } from "./cdnow-sample.ts";

export interface PurchaseRow {
  person: string;
  day: string;
  revenue_minor: number;
  /** Which of the person's purchases. */
  nth: number;
}

const UNTIL = Date.parse("1997-09-30T00:00:00Z") / DAY_MS;

/**
 * Purchases that sum up to the CDNOW sample: as many days, the same first and last ones and the same revenue on repeat days; which
 * days lie between the models do not ask. What was spent first is made up.
 */
export function readCdnowPurchases(): PurchaseRow[] {
  return readCdnowSample().flatMap(({ frequency, recency, age, mean }, customer) => {
    const person = `user:cdnow-${customer}`;
    const first = UNTIL - Math.round(age * 7);
    const cents = Math.round(mean * frequency * 100);
    const repeats = Array.from({ length: frequency }, (_, i) => ({
      person,
      day: dayOf(first + Math.floor((Math.round(recency * 7) * (i + 1)) / frequency)),
      revenue_minor: Math.floor((cents * (i + 1)) / frequency) - Math.floor((cents * i) / frequency),
      nth: i + 1,
    }));
    return [{ person, day: dayOf(first), revenue_minor: 1_000 + (customer % 700), nth: 0 }, ...repeats];
  });
}

function dayOf(number: number): string {
  return new Date(number * DAY_MS).toISOString().slice(0, 10);
}
