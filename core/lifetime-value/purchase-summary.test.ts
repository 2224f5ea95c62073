import * as fc from "fast-check";
import { expect, test } from "vitest";

import { DAY_MS } from "../time.ts";
import { summarisePurchases } from "./purchase-summary.ts";

const on = (day: string, revenue = 10) => ({ day, revenue });

test("days count, not purchases; the first is no repeat; what comes after the observation is not seen", () => {
  const purchases = [
    on("1997-01-18", 5),
    on("1997-01-01"),
    on("1997-01-18", 7),
    on("1997-08-02", 30),
    on("1998-01-01"),
  ];
  expect(summarisePurchases(purchases, "1997-09-30")).toEqual({
    frequency: 2,
    recency: 213 / 7,
    age: 272 / 7,
    mean: 21,
  });
});

test("who bought once has no mean; who has not yet bought is no customer", () => {
  expect(summarisePurchases([on("1997-01-01")], "1997-01-01")).toEqual({
    frequency: 0,
    recency: 0,
    age: 0,
    mean: null,
  });
  expect(summarisePurchases([on("1997-01-02")], "1997-01-01")).toBeNull();
  expect(summarisePurchases([], "1997-01-01")).toBeNull();
});

test("whatever the order: recency is never after the end, and no revenue is lost", () => {
  const day = fc.integer({ min: 0, max: 400 }).map((n) => new Date(n * DAY_MS).toISOString().slice(0, 10));
  const purchase = fc.record({ day, revenue: fc.integer({ min: 0, max: 1_000 }) });
  fc.assert(
    fc.property(fc.array(purchase, { minLength: 1 }), (purchases) => {
      const summary = summarisePurchases(purchases, "1971-06-01")!;
      expect(summarisePurchases(purchases.toReversed(), "1971-06-01")).toEqual(summary);
      expect(summary.recency).toBeLessThanOrEqual(summary.age);
      expect(summary.recency === 0).toBe(summary.frequency === 0);
      const first = purchases.map((one) => one.day).toSorted()[0]!;
      const later = purchases.filter((one) => one.day !== first).reduce((sum, one) => sum + one.revenue, 0);
      expect((summary.mean ?? 0) * summary.frequency).toBeCloseTo(later, 6);
    }),
  );
});
