import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { readCdnowSample } from "../../test/support/cdnow-sample.ts";
import { type BgNbd, fitBgNbd, logLikelihood, probabilityAlive, slopeOf } from "./bg-nbd.ts";
import { logGamma } from "./gamma-function.ts";
import type { PurchaseSummary } from "./purchase-summary.ts";

const parameter = fc.double({ min: -1.5, max: 1.5, noNaN: true }).map((x) => 10 ** x);
const model = fc.record({ r: parameter, alpha: parameter, a: parameter, b: parameter });
const summary = fc
  .record({
    frequency: fc.nat(30),
    last: fc.double({ min: 0.01, max: 1, noNaN: true }),
    age: fc.double({ min: 0.2, max: 60, noNaN: true }),
  })
  .map(({ frequency, last, age }): PurchaseSummary => ({ frequency, recency: frequency === 0 ? 0 : last * age, age }));

/** Over the logarithm of the rate and the log-odds of leaving: there the trapezoidal rule is as good as any. */
function integrate({ r, alpha, a, b }: BgNbd, f: (rate: number, p: number) => number): number {
  const logBeta = logGamma(a) + logGamma(b) - logGamma(a + b);
  const odds = Array.from({ length: 361 }, (_, i) => 30 * Math.sinh((i - 180) / 60));
  const rates = Array.from({ length: 361 }, (_, i) => -Math.log(alpha) + 8 * Math.sinh((i - 260) / 100));
  let sum = 0;
  for (const [i, w] of odds.entries()) {
    const logP = -Math.log1p(Math.exp(-w));
    const logRest = -Math.log1p(Math.exp(w));
    const weightP = Math.exp(a * logP + b * logRest - logBeta) * 0.5 * Math.cosh((i - 180) / 60);
    if (!(weightP > 1e-300)) continue;
    for (const [j, u] of rates.entries()) {
      const rate = Math.exp(u);
      const weight = Math.exp(r * Math.log(alpha) + r * u - alpha * rate - logGamma(r));
      sum += weightP * weight * 0.08 * Math.cosh((j - 260) / 100) * f(rate, Math.exp(logP));
    }
  }
  return sum;
}

/** What the paper begins with: one customer whose rate and probability are known. */
function density({ frequency: x, recency, age }: PurchaseSummary, rate: number, p: number): number {
  const stayed = (1 - p) ** x * rate ** x * Math.exp(-rate * age);
  const left = x === 0 ? 0 : p * (1 - p) ** (x - 1) * rate ** x * Math.exp(-rate * recency);
  return stayed + left;
}

describe("against the definition, by integration over all rates and probabilities", () => {
  const mild = fc.double({ min: -0.5, max: 0.7, noNaN: true }).map((x) => 10 ** x);
  const mildModel = fc.record({ r: mild, alpha: mild, a: mild, b: mild });
  const few = summary.map((one) => ({ ...one, frequency: one.frequency % 5 })).filter((one) => one.frequency > 0);

  test("the likelihood", () => {
    fc.assert(
      fc.property(mildModel, fc.oneof(few, fc.constant({ frequency: 0, recency: 0, age: 12 })), (m, s) => {
        const whole = integrate(m, (rate, p) => density(s, rate, p));
        expect(logLikelihood(m, s)).toBeCloseTo(Math.log(whole), 5);
      }),
      { numRuns: 20 },
    );
  });

  test("the probability of being alive", () => {
    fc.assert(
      fc.property(mildModel, few, (m, s) => {
        const whole = integrate(m, (rate, p) => density(s, rate, p));
        const stayed = integrate(
          m,
          (rate, p) => (1 - p) ** s.frequency * rate ** s.frequency * Math.exp(-rate * s.age),
        );
        expect(probabilityAlive(m, s)).toBeCloseTo(stayed / whole, 5);
      }),
      { numRuns: 20 },
    );
  });
});

test("the gradient is that of the likelihood", () => {
  fc.assert(
    fc.property(model, fc.array(summary, { minLength: 1, maxLength: 8 }), (m, summaries) => {
      const rows = summaries.map((one, i) => ({ ...one, count: 1 + (i % 3) }));
      const { gradient } = slopeOf(m, rows);
      for (const [i, name] of (["r", "alpha", "a", "b"] as const).entries()) {
        const h = 1e-5 * m[name];
        const up = slopeOf({ ...m, [name]: m[name] + h }, rows).value;
        const down = slopeOf({ ...m, [name]: m[name] - h }, rows).value;
        const wanted = (up - down) / (2 * h);
        expect(Math.abs(gradient[i]! - wanted) * m[name]).toBeLessThan(1e-4 * (1 + Math.abs(wanted * m[name])));
      }
    }),
  );
});

test("whoever bought lately is more likely to be alive; all is a probability, also for extreme customers", () => {
  fc.assert(
    fc.property(
      model,
      fc.integer({ min: 1, max: 3_000 }),
      fc.double({ min: 0, max: 900, noNaN: true }),
      (m, frequency, age) => {
        const alive = [0.1, 0.4, 0.7, 1].map((share) => probabilityAlive(m, { frequency, recency: share * age, age }));
        expect(alive).toEqual(alive.toSorted((one, other) => one - other));
        expect(alive.every((one) => one >= 0 && one <= 1)).toBe(true);
      },
    ),
  );
});

describe("the fit", () => {
  const sample = readCdnowSample();

  test("CDNOW: what Fader, Hardie and Lee published", () => {
    const fit = fitBgNbd(sample)!;
    expect(sample).toHaveLength(2_357);
    expect(fit.r).toBeCloseTo(0.243, 3);
    expect(fit.alpha).toBeCloseTo(4.414, 3);
    expect(fit.a).toBeCloseTo(0.793, 3);
    expect(fit.b).toBeCloseTo(2.426, 3);
    expect(fit.log_likelihood).toBeCloseTo(-9582.4, 1);
    expect(fit.converged).toBe(true);
  });

  test("the order of the customers changes nothing, not even the last digit", () => {
    expect(fitBgNbd(sample.toReversed())).toEqual(fitBgNbd(sample));
  });

  test("another unit of time changes alpha and nothing else", () => {
    const weeks = fitBgNbd(sample)!;
    const days = fitBgNbd(sample.map((one) => ({ ...one, recency: one.recency * 7, age: one.age * 7 })))!;
    expect(days.alpha / 7).toBeCloseTo(weeks.alpha, 4);
    for (const name of ["r", "a", "b"] as const) expect(days[name]).toBeCloseTo(weeks[name], 5);
  });

  test("nothing near it is likelier", () => {
    const fit = fitBgNbd(sample)!;
    const rows = sample.map((one) => ({ ...one, count: 1 }));
    const factor = fc.double({ min: 0.7, max: 1.4, noNaN: true });
    fc.assert(
      fc.property(factor, factor, factor, factor, (r, alpha, a, b) => {
        const other = { r: fit.r * r, alpha: fit.alpha * alpha, a: fit.a * a, b: fit.b * b };
        expect(slopeOf(other, rows).value).toBeLessThanOrEqual(fit.log_likelihood + 1e-6);
      }),
    );
  });

  test("who bought only once, or today, teaches nothing", () => {
    expect(fitBgNbd([])).toBeNull();
    expect(fitBgNbd([{ frequency: 0, recency: 0, age: 9 }])).toBeNull();
    expect(fitBgNbd([{ frequency: 0, recency: 0, age: 0 }])).toBeNull();
  });

  test("data that determine nothing give finite numbers, and say so", () => {
    for (const s of [
      { frequency: 3, recency: 30, age: 30 },
      { frequency: 1, recency: 1, age: 200 },
      { frequency: 400, recency: 399, age: 400 },
    ]) {
      const fit = fitBgNbd(Array.from({ length: 50 }, () => s))!;
      expect(fit.converged).toBe(false);
      expect([fit.r, fit.alpha, fit.a, fit.b, fit.log_likelihood].every(Number.isFinite)).toBe(true);
    }
  });
});
