import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { compareProportions } from "./compare.ts";
import { judgeExperiment, type VariantDay } from "./judge.ts";
import { checkSampleRatio } from "./sample-ratio.ts";

const halves = [
  { name: "old", share: 1, is_control: true },
  { name: "new", share: 1, is_control: false },
];
const conversion = { type: "conversion" as const, event_type: "purchase", conditions: [] };
const revenue = { type: "revenue" as const, event_type: "purchase", conditions: [], currency: "INR" };

const day = (nth: number, variant: string, persons: number, converted: number, minor = 0, squares = 0): VariantDay => ({
  day: `2026-11-${String(nth).padStart(2, "0")}`,
  variant,
  persons,
  converted,
  earned: minor === 0 ? {} : { INR: { persons: converted, minor, squares } },
});

describe("the split", () => {
  // scipy.stats.chisquare([821588, 815482]): the example of Fabijan et al., KDD 2019, that looks harmless and is not.
  test("a small difference in many is none of chance", () => {
    const found = checkSampleRatio([
      { persons: 821_588, share: 1 },
      { persons: 815_482, share: 1 },
    ]);
    expect(found.chi_square).toBeCloseTo(22.77436884189436, 8);
    expect(found.p_value / 1.8217928726191858e-6).toBeCloseTo(1, 8);
    expect(found.is_ok).toBe(false);
  });

  test("units of the declared shares do not matter; nobody is no mismatch", () => {
    const persons = [110, 190, 330];
    const [inSixths, inPercent] = [
      [1, 2, 3],
      [100 / 6, 200 / 6, 50],
    ].map((shares) => checkSampleRatio(persons.map((count, nth) => ({ persons: count, share: shares[nth]! }))));
    expect(inSixths!.p_value).toBeCloseTo(0.23965103644177582, 12);
    expect(inPercent!.p_value).toBeCloseTo(inSixths!.p_value, 12);
    expect(checkSampleRatio(halves.map(({ share }) => ({ persons: 0, share })))).toMatchObject({
      p_value: 1,
      is_ok: true,
    });
  });
});

test("days sum up to what one look at the whole gives", () => {
  const counts = fc.record({
    persons: fc.integer({ min: 1, max: 500 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(counts, counts), { minLength: 1, maxLength: 10 }), (all) => {
      const days = all.flatMap(([a, b], nth) => [
        day(nth + 1, "old", a.persons, Math.floor(a.persons * a.part)),
        day(nth + 1, "new", b.persons, Math.floor(b.persons * b.part)),
      ]);
      const [control, treated] = ["old", "new"].map((name) => {
        const theirs = days.filter((one) => one.variant === name);
        const sum = (of: "persons" | "converted") => theirs.reduce((total, one) => total + one[of], 0);
        return { persons: sum("persons"), converted: sum("converted") };
      });
      const result = judgeExperiment({ variants: halves, metric: conversion }, days);
      expect(result.variants.map((one) => [one.exposed, one.converted])).toEqual([
        [control!.persons, control!.converted],
        [treated!.persons, treated!.converted],
      ]);
      expect(result.variants[1]!.comparison).toMatchObject(compareProportions(control!, treated!, 0.05)!);
      expect(judgeExperiment({ variants: halves, metric: conversion }, days.toReversed())).toEqual(result);
    }),
  );
});

test("an effect that shows day by day gets a verdict; a split that is not as declared takes it away", () => {
  const effect = [1, 2, 3, 4, 5].flatMap((nth) => [day(nth, "old", 1_000, 100), day(nth, "new", 1_010, 160)]);
  const verdictOf = (variants: typeof halves) =>
    judgeExperiment({ variants, metric: conversion }, effect).variants.map((one) => one.comparison?.sequential.verdict);
  expect(verdictOf(halves)).toEqual([undefined, "better"]);
  expect(verdictOf(halves.map((one) => ({ ...one, is_control: !one.is_control })))).toEqual(["worse", undefined]);
  expect(verdictOf([halves[0]!, { ...halves[1]!, share: 2 }])).toEqual([undefined, "not_trusted"]);
});

test("revenue is compared per person who was exposed, in the metric's currency", () => {
  const days = [
    { ...day(1, "old", 4_000, 200, 200_000, 250_000_000) },
    { ...day(1, "new", 4_000, 260, 300_000, 400_000_000), earned: { INR: { persons: 260, minor: 300_000, squares: 4e8 }, USD: { persons: 1, minor: 999, squares: 998_001 } } },
  ]; // prettier-ignore
  const { variants } = judgeExperiment({ variants: halves, metric: revenue }, days);
  expect(variants.map((one) => [one.revenue_per_person, one.revenue])).toEqual([
    [50, { INR: 200_000 }],
    [75, { INR: 300_000, USD: 999 }],
  ]);
  const { comparison } = variants[1]!;
  expect(comparison).toMatchObject({ difference: 25, relative: 0.5 });
  // scipy: 2 * norm.sf(25 / sqrt((2.4e8 / 3999 + 3.775e8 / 3999) / 4000)); 2.4e8 and 3.775e8 are the squares less sum²/n.
  const z = 25 / Math.sqrt((2.4e8 / 3_999 + 3.775e8 / 3_999) / 4_000);
  expect(z).toBeCloseTo(4.023715124211668, 12);
  expect(comparison!.p_value).toBeCloseTo(5.728720699248939e-5, 14);
});

test("several variants share alpha, and nobody in one of them is no comparison", () => {
  const variants = [...halves, { name: "newer", share: 1, is_control: false }];
  const result = judgeExperiment({ variants, metric: conversion }, [day(1, "old", 10, 1), day(1, "new", 10, 2)]);
  expect(result.alpha).toBe(0.025);
  expect(result.variants.map((one) => one.comparison === null)).toEqual([true, false, true]);
  expect(result.variants[2]).toMatchObject({ exposed: 0, rate: null, rate_interval: { low: 0, high: 1 } });
});
