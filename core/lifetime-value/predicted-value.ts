import { type BgNbd, probabilityAlive } from "./bg-nbd.ts";
import { expectedWhileAlive } from "./expected-purchases.ts";
import type { PurchaseSummary } from "./purchase-summary.ts";

/** How far is looked ahead, in steps of how long, and what money of a year later is worth less. */
export interface Horizon {
  weeks: number;
  stepWeeks: number;
  /** 0.1: a tenth a year. */
  discountPerYear: number;
}

const WEEKS_PER_YEAR = 365.25 / 7;

/** A year in steps of four weeks, a tenth a year: what is usual where nobody has said otherwise. */
export const DEFAULT_HORIZON: Horizon = { weeks: 52, stepWeeks: 4, discountPerYear: 0.1 };

export interface Outlook {
  probability_alive: number;
  /** Purchase days within the horizon. */
  expected_purchases: number;
  /** The same, each counted by what its money is worth today: times the average value this is the predicted value. */
  discounted_purchases: number;
}

/** What to expect of a customer within the horizon. Purchases of a step count as made at its end. */
export function lookAhead(model: BgNbd, summary: PurchaseSummary, horizon: Horizon = DEFAULT_HORIZON): Outlook {
  const { weeks, stepWeeks, discountPerYear } = horizon;
  const probability_alive = probabilityAlive(model, summary);
  let [before, discounted] = [0, 0];
  for (let step = 1; (step - 1) * stepWeeks < weeks; step++) {
    const end = Math.min(step * stepWeeks, weeks);
    const upTo = probability_alive * expectedWhileAlive(model, summary, end);
    discounted += (upTo - before) / (1 + discountPerYear) ** (end / WEEKS_PER_YEAR);
    before = upTo;
  }
  return { probability_alive, expected_purchases: before, discounted_purchases: discounted };
}
