import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { chanceInterval, forecastDeals } from "./forecast.ts";

const outlook = (winWithin: number, strength = 20) => ({ win: winWithin, winWithin, strength, seen: strength - 4 });
const deal = (
  stage: number,
  amount_minor: number | null,
  currency: string | null = amount_minor === null ? null : "EUR",
) => ({
  stage,
  amount_minor,
  currency,
});

describe("a forecast", () => {
  const dealArbitrary = fc
    .tuple(fc.nat({ max: 2 }), fc.integer({ min: 0, max: 1e12 }), fc.constantFrom("EUR", "INR"))
    .map(([stage, amount, currency]) => deal(stage, amount, currency));
  const chance = fc.double({ min: 0, max: 1, noNaN: true });

  it("is the sum of worth and chance, currency by currency, within nothing and everything", () =>
    fc.assert(
      fc.property(fc.array(dealArbitrary), fc.tuple(chance, chance, chance), (deals, chances) => {
        const { deals: counted, amounts } = forecastDeals(
          deals,
          chances.map((one) => outlook(one)),
        );
        const expected = deals.reduce((sum, { stage }) => sum + chances[stage]!, 0);
        expect(counted.expected).toBeCloseTo(expected, 9);
        expect(counted.open).toBe(deals.length);
        for (const [currency, { open, expected: sum, low, high }] of Object.entries(amounts)) {
          const own = deals.filter((one) => one.currency === currency);
          expect(open).toBe(own.reduce((total, one) => total + one.amount_minor!, 0));
          const exact = own.reduce((total, one) => total + one.amount_minor! * chances[one.stage]!, 0);
          expect(Math.abs(sum - exact)).toBeLessThanOrEqual(1e-9 * open);
          expect(low).toBeGreaterThanOrEqual(0);
          expect(low).toBeLessThanOrEqual(high);
          expect(high).toBeLessThanOrEqual(open);
        }
      }),
    ));

  it("of one deal is all or nothing", () => {
    const { amounts } = forecastDeals([deal(0, 1_000)], [outlook(0.5)]);
    expect(amounts).toEqual({ EUR: { open: 1_000, expected: 500, low: 0, high: 1_000 } });
  });

  it("has an interval that holds nine of ten of what happens", () => {
    // Twelve deals of one worth and a chance that is known: a binomial distribution, counted out.
    const { deals: counted } = forecastDeals(
      Array.from({ length: 12 }, () => deal(0, null)),
      [outlook(0.3, 1e9)],
    );
    const ways = (n: number, k: number): number => (k === 0 ? 1 : (ways(n, k - 1) * (n - k + 1)) / k);
    const held = Array.from({ length: 13 }, (_, k) => k)
      .filter((k) => k >= counted.low - 0.5 && k <= counted.high + 0.5)
      .reduce((sum, k) => sum + ways(12, k) * 0.3 ** k * 0.7 ** (12 - k), 0);
    expect(held).toBeGreaterThan(0.88);
    expect(held).toBeLessThan(0.98);
  });

  it("is surer of a stage the more was seen of it, and sure where nothing is open", () => {
    const many = Array.from({ length: 50 }, () => deal(0, 100));
    const [little, much] = [5, 5_000].map((n) => forecastDeals(many, [outlook(0.4, n)]).amounts["EUR"]!);
    expect(much!.high - much!.low).toBeLessThan((little!.high - little!.low) / 2);
    expect(forecastDeals([], [])).toEqual({ deals: { open: 0, expected: 0, low: 0, high: 0 }, amounts: {} });
    expect(chanceInterval(0, 10)).toEqual({ low: 0, high: 0 });
    expect(chanceInterval(1, 10)).toEqual({ low: 1, high: 1 });
  });
});
