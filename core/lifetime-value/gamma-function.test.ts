import * as fc from "fast-check";
import { expect, test } from "vitest";

import { digamma, logGamma } from "./gamma-function.ts";

const positive = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
/** Relative for large numbers, absolute for small ones. */
const errorOf = (found: number, wanted: number) => Math.abs(found - wanted) / Math.max(1, Math.abs(wanted));

test("values that are known otherwise", () => {
  expect(errorOf(logGamma(0.5), Math.log(Math.PI) / 2)).toBeLessThan(1e-12);
  expect(errorOf(logGamma(1), 0)).toBeLessThan(1e-12);
  expect(errorOf(logGamma(2), 0)).toBeLessThan(1e-12);
  let factorial = 0;
  for (let n = 1; n <= 60; n++) {
    expect(errorOf(logGamma(n), factorial)).toBeLessThan(1e-12);
    factorial += Math.log(n);
  }
  expect(errorOf(digamma(1), -0.577_215_664_901_532_9)).toBeLessThan(1e-12);
  expect(errorOf(digamma(0.5), -0.577_215_664_901_532_9 - 2 * Math.LN2)).toBeLessThan(1e-12);
});

test("Γ(x + 1) = x Γ(x), and what follows from it for the derivative", () => {
  fc.assert(
    fc.property(positive, (x) => {
      expect(errorOf(logGamma(x + 1), Math.log(x) + logGamma(x))).toBeLessThan(1e-11);
      expect(errorOf(digamma(x + 1), 1 / x + digamma(x))).toBeLessThan(1e-11);
    }),
  );
});

test("doubling: Γ(x) Γ(x + ½) = 2^(1 − 2x) √π Γ(2x)", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e4, noNaN: true }), (x) => {
      const right = (1 - 2 * x) * Math.LN2 + Math.log(Math.PI) / 2 + logGamma(2 * x);
      expect(errorOf(logGamma(x) + logGamma(x + 0.5), right)).toBeLessThan(1e-11);
    }),
  );
});

test("digamma is the slope of logGamma", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.05, max: 1e3, noNaN: true }), (x) => {
      const h = 1e-4 * x;
      expect(errorOf(digamma(x), (logGamma(x + h) - logGamma(x - h)) / (2 * h))).toBeLessThan(1e-6);
    }),
  );
});
