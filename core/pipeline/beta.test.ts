import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { betaBelow, betaQuantile, shareInterval } from "./beta.ts";

/** The same by the binomial distribution, for whole a and b. */
function byBinomial(x: number, a: number, b: number): number {
  const n = a + b - 1;
  let [sum, ways] = [0, 1];
  for (let j = 0; j <= n; j++) {
    if (j >= a) sum += ways * x ** j * (1 - x) ** (n - j);
    ways = (ways * (n - j)) / (j + 1);
  }
  return sum;
}

describe("the incomplete beta function", () => {
  const whole = fc.integer({ min: 1, max: 20 });

  it("is the tail of a binomial distribution", () =>
    fc.assert(
      fc.property(whole, whole, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, x) => {
        expect(betaBelow(x, a, b)).toBeCloseTo(byBinomial(x, a, b), 10);
      }),
    ));

  it("is taken back by its quantile, whatever the shape", () => {
    const shape = fc.double({ min: 1, max: 50_000, noNaN: true });
    fc.assert(
      fc.property(shape, shape, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (a, b, chance) => {
        expect(betaBelow(betaQuantile(chance, a, b), a, b)).toBeCloseTo(chance, 6);
      }),
    );
  });

  it("has its ends", () => {
    expect([betaBelow(0, 2, 3), betaBelow(1, 2, 3), betaQuantile(0.5, 0, 3), betaQuantile(0.5, 3, 0)]).toEqual([
      0, 1, 0, 1,
    ]);
  });
});

describe("the interval of a share", () => {
  it("holds it, within nothing and everything, and is narrower the more was seen", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0, max: 1, noNaN: true }), (whole, at) => {
        const part = Math.round(whole * at);
        const { low, high } = shareInterval(part, whole, 0.9);
        expect(low).toBeLessThanOrEqual(part / whole);
        expect(high).toBeGreaterThanOrEqual(part / whole);
        const more = shareInterval(part * 10, whole * 10, 0.9);
        expect(more.high - more.low).toBeLessThan(high - low);
      }),
    ));

  it("is what tables say of 3 of 10", () => {
    const { low, high } = shareInterval(3, 10, 0.95);
    expect([low, high].map((value) => value.toFixed(3))).toEqual(["0.093", "0.606"]);
  });
});
