import * as fc from "fast-check";
import { expect, test } from "vitest";

import { periodOf, periodsBetween } from "./cohort.ts";
import { DAY_MS } from "./time.ts";

test("days, weeks from Monday, months", () => {
  expect(periodOf("day", "2026-11-21")).toBe("2026-11-21");
  expect(periodOf("week", "2026-11-21")).toBe("2026-11-16");
  expect(periodOf("week", "2026-11-22")).toBe("2026-11-16");
  expect(periodOf("week", "2027-01-01")).toBe("2026-12-28");
  expect(periodOf("month", "2026-11-21")).toBe("2026-11-01");
  expect(periodsBetween("day", "2026-12-30", "2027-01-02")).toBe(3);
  expect(periodsBetween("week", "2026-12-28", "2027-01-11")).toBe(2);
  expect(periodsBetween("month", "2026-11-01", "2027-02-01")).toBe(3);
});

test("a day lies in its period, and a period begins in itself", () => {
  const day = fc.integer({ min: 0, max: 40_000 }).map((n) => new Date(n * DAY_MS).toISOString().slice(0, 10));
  fc.assert(
    fc.property(fc.constantFrom("day" as const, "week" as const, "month" as const), day, (period, one) => {
      const start = periodOf(period, one);
      expect(start <= one).toBe(true);
      expect(periodOf(period, start)).toBe(start);
      expect(periodsBetween(period, start, start)).toBe(0);
    }),
  );
});
