import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Amounts, compareMeans, compareProportions, wilsonInterval } from "./compare.ts";
import { chiSquareTail, criticalZ, twoSidedP } from "./normal.ts";

/** So many digits are the same. */
function isNear(actual: number, expected: number, digits = 11): boolean {
  return Math.abs(actual - expected) <= Math.abs(expected) * 10 ** -digits;
}

function amounts(all: readonly number[]): Amounts {
  return {
    persons: all.length,
    sum: all.reduce((sum, one) => sum + one, 0),
    squares: all.reduce((sum, one) => sum + one ** 2, 0),
  };
}

// scipy 1.17.1: 2 * scipy.stats.norm.sf(z)
test.each([
  [0, 1],
  [1, 0.31731050786291415],
  [1.96, 0.04999579029644087],
  [-5, 5.733031437583866e-7],
  [10, 1.523970604832094e-23],
  [30, 9.813427854295816e-198],
])("p of z = %d", (z, p) => expect(isNear(twoSidedP(z), p)).toBe(true));

// scipy.stats.norm.ppf(1 - alpha / 2)
test.each([
  [0.2, 1.2815515655446004],
  [0.05, 1.959963984540054],
  [0.01, 2.5758293035489004],
])("z of alpha = %d", (alpha, z) => expect(isNear(criticalZ(alpha), z)).toBe(true));

// scipy.stats.chi2.sf: by scipy.stats.chisquare([4900, 5100]), ([110, 190, 330], [105, 210, 315]), ([5000, 5500, 4500])
test.each([
  [4, 1, 0.04550026389635857],
  [2.857142857142857, 2, 0.23965103644177582],
  [100, 2, 1.9287498479639183e-22],
  [0, 2, 1],
])("tail of chi-square %d with %i degrees of freedom", (x, degrees, p) =>
  expect(isNear(chiSquareTail(x, degrees), p)).toBe(true),
);

/**
 * statsmodels 0.15.0: z, p = proportions_ztest([b, a], [nb, na]); low, high = confint_proportions_2indep(b, nb, a, na, compare="diff",
 * method="newcomb"); proportion_confint(b, nb, method="wilson"). The first is Newcombe's own example (1998, table II: 0.0524 to 0.3339).
 */
const PUBLISHED: [treated: [number, number], control: [number, number], p: number, low: number, high: number, wilson: [number, number]][] = [
  [[56, 70], [48, 80], 0.00804508136819656, 0.05243147240236498, 0.33387265403690614, [0.6918335550374695, 0.8769526075163705]],
  [[9, 10], [3, 10], 0.006169899320544151, 0.1705227239345029, 0.809017973535488, [0.5958499732047614, 0.982123786904927]],
  [[10, 10], [0, 20], 4.320463057827506e-8, 0.6790860371419145, 1, [0.7224672001371106, 1]],
  [[5, 56], [0, 29], 0.09718656817057973, -0.038137147903536936, 0.19256001385511165, [0.0387421484495869, 0.19256001385511165]],
  [[480, 10000], [530, 10000], 0.10639985517542977, -0.011082147343161519, 0.0010734455424926438, [0.04398103638811836, 0.05236609813897328]],
  [[1200, 24000], [1, 24000], 5.762373490026305e-269, 0.04726527530252631, 0.052788610226970525, [0.047313962744702225, 0.05283006890725465]],
]; // prettier-ignore

test.each(PUBLISHED)("%j against %j is as published", ([x, n], [y, m], p, low, high, wilson) => {
  const treated = { persons: n, converted: x };
  const found = compareProportions({ persons: m, converted: y }, treated, 0.05)!;
  expect(found.difference).toBeCloseTo(x / n - y / m, 14);
  expect(isNear(found.p_value, p, 10)).toBe(true);
  expect(isNear(found.interval.low, low, 10)).toBe(true);
  expect(isNear(found.interval.high, high, 10)).toBe(true);
  const alone = wilsonInterval(treated, 0.05);
  expect(isNear(alone.low, wilson[0], 10)).toBe(true);
  expect(isNear(alone.high, wilson[1], 10)).toBe(true);
});

test("nobody, and nobody at all: no difference is claimed", () => {
  const nobody = { persons: 0, converted: 0 };
  expect(compareProportions(nobody, { persons: 5, converted: 1 }, 0.05)).toBeUndefined();
  expect(wilsonInterval(nobody, 0.05)).toEqual({ low: 0, high: 1 });
  // As statsmodels: confint_proportions_2indep(0, 10, 0, 20, compare="diff", method="newcomb").
  const none = compareProportions({ persons: 20, converted: 0 }, { persons: 10, converted: 0 }, 0.05)!;
  expect(none).toMatchObject({ difference: 0, p_value: 1 });
  expect(isNear(none.interval.low, -0.1611251580528194, 10)).toBe(true);
  expect(isNear(none.interval.high, 0.27753279986288926, 10)).toBe(true);
});

// statsmodels: CompareMeans(DescrStatsW(b), DescrStatsW(a)).ztest_ind(usevar="unequal"), .zconfint_diff(usevar="unequal")
test("means as published", () => {
  const control = amounts([0, 0, 0, 100, 250, 0, 0, 40]);
  const found = compareMeans(control, amounts([0, 0, 300, 0, 0, 500, 20, 60, 0, 10]), 0.05)!;
  expect(found.difference).toBeCloseTo(40.25, 12);
  expect(isNear(found.p_value, 0.5206769581545211)).toBe(true);
  expect(isNear(found.interval.low, -82.57153959293547)).toBe(true);
  expect(isNear(found.interval.high, 163.07153959293547)).toBe(true);
  expect(compareMeans({ persons: 1, sum: 5, squares: 25 }, control, 0.05)).toBeUndefined();
  const nothing = { persons: 9, sum: 0, squares: 0 };
  expect(compareMeans(nothing, nothing, 0.05)).toMatchObject({ difference: 0, p_value: 1 });
});

const proportion = fc
  .tuple(fc.integer({ min: 1, max: 5_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([persons, part]) => ({ persons, converted: Math.round(persons * part) }));
const alphas = fc.constantFrom(0.2, 0.05, 0.01);

describe("properties", () => {
  test("the other way round it is the same with the other sign, and counting who did not, too", () => {
    fc.assert(
      fc.property(proportion, proportion, alphas, (a, b, alpha) => {
        const there = compareProportions(a, b, alpha)!;
        const back = compareProportions(b, a, alpha)!;
        const [notA, notB] = [a, b].map((one) => ({ ...one, converted: one.persons - one.converted })) as [
          typeof a,
          typeof b,
        ];
        const opposite = compareProportions(notA, notB, alpha)!;
        for (const other of [back, opposite]) {
          expect(other.p_value).toBeCloseTo(there.p_value, 9);
          expect(other.difference).toBeCloseTo(-there.difference, 12);
          expect(other.interval.low).toBeCloseTo(-there.interval.high, 12);
          expect(other.interval.high).toBeCloseTo(-there.interval.low, 12);
        }
      }),
    );
  });

  test("an interval holds what it is about, and a higher level makes it wider", () => {
    fc.assert(
      fc.property(proportion, proportion, (a, b) => {
        const [wide, narrow] = [0.01, 0.2].map((alpha) => compareProportions(a, b, alpha)!) as [
          NonNullable<ReturnType<typeof compareProportions>>,
          NonNullable<ReturnType<typeof compareProportions>>,
        ];
        expect(wide.interval.low).toBeLessThanOrEqual(narrow.interval.low + 1e-12);
        expect(wide.interval.high).toBeGreaterThanOrEqual(narrow.interval.high - 1e-12);
        expect(narrow.interval.low).toBeLessThanOrEqual(narrow.difference + 1e-12);
        expect(narrow.interval.high).toBeGreaterThanOrEqual(narrow.difference - 1e-12);
        expect(wide.interval.low).toBeGreaterThanOrEqual(-1 - 1e-12);
        expect(wide.interval.high).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });

  test("the further apart, the smaller p", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2_000 }), fc.integer({ min: 2, max: 2_000 }), fc.nat(), (n, m, seed) => {
        const converted = seed % (n + 1);
        const control = { persons: n, converted };
        let before = 1;
        // From the first that is not below the control on.
        for (let x = Math.ceil((converted / n) * m); x <= m; x += Math.max(1, Math.floor(m / 20))) {
          const { p_value } = compareProportions(control, { persons: m, converted: x }, 0.05)!;
          expect(p_value).toBeLessThanOrEqual(before + 1e-12);
          before = p_value;
        }
      }),
    );
  });
});
