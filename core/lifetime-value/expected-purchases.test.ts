import * as fc from "fast-check";
import { expect, test } from "vitest";

import { readCdnowSample } from "../../test/support/cdnow-sample.ts";
import { fitBgNbd } from "./bg-nbd.ts";
import { expectedByIntegral, expectedBySeries, expectedPurchases } from "./expected-purchases.ts";
import { meanOverBeta } from "./mean-over-beta.ts";
import { lookAhead } from "./predicted-value.ts";

const parameter = fc.double({ min: -1, max: 1, noNaN: true }).map((x) => 10 ** x);
const model = fc.record({ r: parameter, alpha: parameter, a: parameter, b: parameter });
const summary = fc
  .record({ frequency: fc.nat(200), age: fc.double({ min: 1, max: 100, noNaN: true }) })
  .map(({ frequency, age }) => ({ frequency, recency: frequency === 0 ? 0 : age * 0.8, age }));
const weeks = fc.double({ min: 0.01, max: 60, noNaN: true });

test("the mean over a beta distribution: its moments", () => {
  fc.assert(
    fc.property(parameter, parameter, (a, b) => {
      expect(meanOverBeta((p) => p, a, b)).toBeCloseTo(a / (a + b), 10);
      expect(meanOverBeta((p) => p * p, a, b)).toBeCloseTo((a * (a + 1)) / ((a + b) * (a + b + 1)), 10);
    }),
  );
});

test("the series and the integral agree, also where the published form is 0/0", () => {
  const rare = fc.constantFrom(1, 1 - 1e-13, 1 + 1e-9, 0.999_999);
  fc.assert(
    fc.property(model, fc.option(rare), summary, weeks, (m, a, s, t) => {
      const at = { ...m, a: a ?? m.a };
      const wanted = expectedByIntegral(at, s, t);
      expect(Math.abs(expectedBySeries(at, s, t) - wanted)).toBeLessThan(1e-8 * (1 + wanted));
    }),
    { numRuns: 300 },
  );
});

test("a hand count: nobody leaves (a next to nothing), so what is expected is the posterior rate times the time", () => {
  const s = { frequency: 4, recency: 20, age: 30 };
  const found = expectedPurchases({ r: 2, alpha: 10, a: 1e-12, b: 5 }, s, 12);
  expect(found).toBeCloseTo(((2 + 4) / (10 + 30)) * 12, 8);
});

test("more time never means fewer purchases, and no time means none", () => {
  fc.assert(
    fc.property(model, summary, weeks, (m, s, t) => {
      const found = [0, t / 2, t, t * 2, t * 50].map((horizon) => expectedPurchases(m, s, horizon));
      expect(found[0]).toBe(0);
      for (let i = 1; i < found.length; i++) expect(found[i]).toBeGreaterThanOrEqual(found[i - 1]! * (1 - 1e-9));
    }),
  );
});

test("those who all buy at one rate and never leave, as a fit at its limit sees them, are expected to go on", () => {
  const s = { frequency: 40, recency: 39, age: 40 };
  expect(expectedPurchases({ r: 8_000, alpha: 8_000, a: 1e-4, b: 8 }, s, 52)).toBeCloseTo(52, 0);
});

test("whatever a fit may end with, what is expected is a number, and no more than a customer can buy who never leaves", () => {
  const wild = fc.double({ min: -4, max: 4, noNaN: true }).map((x) => 10 ** x);
  const wildModel = fc.record({ r: wild, alpha: wild, a: wild, b: wild });
  const wildSummary = fc
    .record({ frequency: fc.nat(400), age: fc.double({ min: 0, max: 900, noNaN: true }) })
    .map(({ frequency, age }) => ({ frequency, recency: frequency === 0 ? 0 : age * 0.9, age }));
  fc.assert(
    fc.property(wildModel, wildSummary, weeks, (m, s, t) => {
      const found = expectedPurchases(m, s, t);
      const most = ((m.r + s.frequency) / (m.alpha + s.age)) * t;
      expect(found).toBeGreaterThanOrEqual(0);
      expect(found).toBeLessThanOrEqual(most * (1 + 1e-6) + 1e-9);
    }),
    { numRuns: 1_000 },
  );
});

test("CDNOW: the customer of the paper's example", () => {
  // Fader, Hardie and Lee's spreadsheet: x = 2, t_x = 30.43, T = 38.86, 39 weeks ahead: 1.226.
  const published = { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
  expect(expectedPurchases(published, { frequency: 2, recency: 30.43, age: 38.86 }, 39)).toBeCloseTo(1.226, 3);
});

test("CDNOW: what all were expected to buy in the 39 weeks after is near what they bought", () => {
  const sample = readCdnowSample();
  const fit = fitBgNbd(sample)!;
  const expected = sample.reduce((sum, one) => sum + expectedPurchases(fit, one, 39), 0);
  // 1,788 repeat purchase days are in the file after 1997-09-30.
  expect(Math.abs(expected / 1_788 - 1)).toBeLessThan(0.1);
});

test("the outlook: without discount every purchase counts fully, with it less, and a farther horizon never less", () => {
  const money = fc.double({ min: 0.01, max: 1, noNaN: true });
  fc.assert(
    fc.property(model, summary, money, fc.integer({ min: 1, max: 60 }), (m, s, discountPerYear, horizon) => {
      const plain = lookAhead(m, s, { weeks: horizon, stepWeeks: 4, discountPerYear: 0 });
      const worth = lookAhead(m, s, { weeks: horizon, stepWeeks: 4, discountPerYear });
      expect(plain.discounted_purchases).toBeCloseTo(plain.expected_purchases, 9);
      expect(plain.expected_purchases).toBeCloseTo(expectedPurchases(m, s, horizon), 9);
      expect(worth.discounted_purchases).toBeLessThanOrEqual(plain.discounted_purchases);
      const yearly = (1 + discountPerYear) ** (-horizon / 52);
      expect(worth.discounted_purchases).toBeGreaterThanOrEqual(plain.discounted_purchases * yearly * 0.999);
    }),
  );
});
