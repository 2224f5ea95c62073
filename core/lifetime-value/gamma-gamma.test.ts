import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { readCdnowSample } from "../../test/support/cdnow-sample.ts";
import { logGamma } from "./gamma-function.ts";
import { countAlike, expectedAverageValue, fitGammaGamma, type GammaGamma, slopeOfSpending } from "./gamma-gamma.ts";

const parameter = fc.double({ min: 0.2, max: 12, noNaN: true });
const model = fc.record({ p: parameter, q: fc.double({ min: 1.2, max: 9, noNaN: true }), v: parameter });
const spending = fc.record({
  frequency: fc.integer({ min: 1, max: 12 }),
  mean: fc.double({ min: 0.1, max: 80, noNaN: true }),
});

/** Over the logarithm of the customer's own scale ν, distributed as Gamma(q, v): the mean of x purchases is Gamma(p x, ν x). */
function integrate({ p, q, v }: GammaGamma, x: number, mean: number, f: (scale: number) => number): number {
  let sum = 0;
  for (let i = -5_000; i <= 1_500; i++) {
    const u = i / 50;
    const scale = Math.exp(u);
    const prior = q * Math.log(v) + q * u - v * scale - logGamma(q);
    const given = p * x * (u + Math.log(x)) + (p * x - 1) * Math.log(mean) - scale * x * mean - logGamma(p * x);
    sum += 0.02 * Math.exp(prior + given) * f(scale);
  }
  return sum;
}

test("likelihood and expectation against the definition, by integration over all customers' scales", () => {
  fc.assert(
    fc.property(model, spending, (m, s) => {
      const whole = integrate(m, s.frequency, s.mean, () => 1);
      expect(slopeOfSpending(m, countAlike([s])).value).toBeCloseTo(Math.log(whole), 7);
      const average = integrate(m, s.frequency, s.mean, (scale) => m.p / scale) / whole;
      expect(expectedAverageValue(m, s)! / average).toBeCloseTo(1, 7);
    }),
    { numRuns: 50 },
  );
});

test("the gradient is that of the likelihood", () => {
  fc.assert(
    fc.property(model, fc.array(spending, { minLength: 1, maxLength: 6 }), (m, rows) => {
      const { gradient } = slopeOfSpending(m, countAlike(rows));
      for (const [i, name] of (["p", "q", "v"] as const).entries()) {
        const h = 1e-5 * m[name];
        const up = slopeOfSpending({ ...m, [name]: m[name] + h }, countAlike(rows)).value;
        const down = slopeOfSpending({ ...m, [name]: m[name] - h }, countAlike(rows)).value;
        const wanted = (up - down) / (2 * h);
        expect(Math.abs(gradient[i]! - wanted)).toBeLessThan(1e-4 * (1 + Math.abs(wanted)));
      }
    }),
  );
});

test("what is expected lies between the mean of all and the customer's own, and nearer to that the more they bought", () => {
  fc.assert(
    fc.property(model, spending, (m, s) => {
      const all = expectedAverageValue(m, { frequency: 0, mean: 0 })!;
      const found = [1, 2, 5, 100].map((frequency) => expectedAverageValue(m, { ...s, frequency })!);
      const away = [all, ...found].map((value) => Math.abs(value - s.mean));
      // Only where p x is large against q does the customer's own mean count for more than the prior.
      for (let i = 1; i < away.length; i++) expect(away[i]).toBeLessThanOrEqual(away[i - 1]! * (1 + 1e-9));
    }),
  );
});

test("a mean that is infinite is none", () => {
  expect(expectedAverageValue({ p: 2, q: 0.8, v: 3 }, { frequency: 0, mean: 0 })).toBeNull();
  expect(expectedAverageValue({ p: 2, q: 0.8, v: 3 }, { frequency: 1, mean: 5 })).toBeCloseTo((2 * (3 + 5)) / 1.8, 12);
});

describe("the fit", () => {
  const sample = readCdnowSample();

  test("CDNOW: what Fader and Hardie published, from the 946 who came back", () => {
    const fit = fitGammaGamma(sample)!;
    expect(sample.filter((one) => one.frequency > 0)).toHaveLength(946);
    expect(fit.p).toBeCloseTo(6.25, 2);
    expect(fit.q).toBeCloseTo(3.74, 2);
    expect(fit.v).toBeCloseTo(15.44, 1);
    expect(fit.converged).toBe(true);
  });

  test("in cents p and q are the same, and v a hundred times as much; the order changes nothing", () => {
    const dollars = fitGammaGamma(sample)!;
    const cents = fitGammaGamma(sample.map((one) => ({ ...one, mean: one.mean * 100 })))!;
    expect(cents.p).toBeCloseTo(dollars.p, 4);
    expect(cents.q).toBeCloseTo(dollars.q, 4);
    expect(cents.v / 100).toBeCloseTo(dollars.v, 3);
    expect(fitGammaGamma(sample.toReversed())).toEqual(dollars);
  });

  test("too few, or all the same: nothing, or finite numbers that say what they are worth", () => {
    expect(fitGammaGamma([])).toBeNull();
    expect(
      fitGammaGamma([
        { frequency: 0, mean: 0 },
        { frequency: 2, mean: 0 },
      ]),
    ).toBeNull();
    const fit = fitGammaGamma(Array.from({ length: 20 }, () => ({ frequency: 3, mean: 10 })))!;
    expect(fit.converged).toBe(false);
    expect([fit.p, fit.q, fit.v].every(Number.isFinite)).toBe(true);
    expect(expectedAverageValue(fit, { frequency: 3, mean: 10 })).toBeCloseTo(10, 1);
  });
});
