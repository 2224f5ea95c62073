import * as fc from "fast-check";
import { expect, test } from "vitest";

import { compareMeans, compareProportions } from "./compare.ts";
import {
  alwaysValidP,
  confidenceSequence,
  followSequence,
  MIXTURE_SD,
  type Standing,
  standingOfMeans,
  standingOfProportions,
} from "./sequential.ts";

const ALPHA = 0.05;

/** mulberry32: the same numbers on every machine. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const standing = fc
  .record({
    difference: fc.double({ min: -1, max: 1, noNaN: true }),
    standardError: fc.double({ min: 1e-4, max: 0.5, noNaN: true }),
    control: fc.integer({ min: 10, max: 1_000_000 }),
    treated: fc.integer({ min: 10, max: 1_000_000 }),
  })
  .map((one): Standing => ({ ...one, isReady: true }));

/** The mixture by summing up: the mean of the likelihood ratio over effects drawn from N(0, τ²), in steps of a hundredth of τ. */
function mixtureByHand({ difference, standardError, control, treated }: Standing): number {
  // The variance of the difference is σ² (1/n + 1/m), so that τ = MIXTURE_SD · σ.
  const tau = MIXTURE_SD * Math.sqrt(standardError ** 2 / (1 / control + 1 / treated));
  let sum = 0;
  for (let step = -800; step <= 800; step++) {
    const effect = (step / 100) * tau;
    const ratio = Math.exp((difference * effect - effect ** 2 / 2) / standardError ** 2);
    sum += (ratio * Math.exp(-((step / 100) ** 2) / 2)) / (100 * Math.sqrt(2 * Math.PI));
  }
  return sum;
}

test("p is the inverse of the mixture of likelihood ratios, as summed up by hand", () => {
  for (const [difference, standardError, control, treated] of [
    [0.01, 0.005, 5_000, 5_000],
    [-0.02, 0.006, 900, 9_000],
    [0.004, 0.002, 40_000, 41_000],
    [0.03, 0.01, 1_500, 1_200],
  ] as const) {
    const at = { difference, standardError, control, treated, isReady: true };
    expect(alwaysValidP(at)).toBeCloseTo(Math.min(1, 1 / mixtureByHand(at)), 9);
  }
});

test("the confidence sequence is what the test does not reject", () => {
  fc.assert(
    fc.property(standing, fc.constantFrom(0.2, 0.05, 0.005), (at, alpha) => {
      const { low, high } = confidenceSequence(at, alpha)!;
      // Against an edge of it instead of against nothing, p is alpha.
      for (const edge of [low, high]) {
        expect(alwaysValidP({ ...at, difference: at.difference - edge })).toBeCloseTo(alpha, 9);
      }
      const isOutside = low > 0 || high < 0;
      const isAtEdge = Math.min(Math.abs(low), Math.abs(high)) < 1e-12;
      expect(isAtEdge || isOutside === alwaysValidP(at) < alpha).toBe(true);
    }),
  );
});

test("swapping the two turns the sign only, and it is never less cautious than one look", () => {
  const proportion = fc
    .tuple(fc.integer({ min: 200, max: 50_000 }), fc.double({ min: 0.1, max: 0.9, noNaN: true }))
    .map(([persons, part]) => ({ persons, converted: Math.round(persons * part) }));
  fc.assert(
    fc.property(proportion, proportion, (a, b) => {
      const there = standingOfProportions(a, b);
      const back = standingOfProportions(b, a);
      expect(there.isReady).toBe(true);
      expect(alwaysValidP(back)).toBeCloseTo(alwaysValidP(there), 12);
      expect(confidenceSequence(back, ALPHA)!.low).toBeCloseTo(-confidenceSequence(there, ALPHA)!.high, 12);
      const fixed = compareProportions(a, b, ALPHA)!;
      const { low, high } = confidenceSequence(there, ALPHA)!;
      expect(high - low).toBeGreaterThan(fixed.interval.high - fixed.interval.low);
    }),
  );
});

test("p never grows again, and what was decided stays", () => {
  fc.assert(
    fc.property(fc.array(standing, { minLength: 1, maxLength: 20 }), (all) => {
      let before = followSequence([], ALPHA);
      for (let n = 1; n <= all.length; n++) {
        const now = followSequence(all.slice(0, n), ALPHA);
        expect(now.p_value).toBeLessThanOrEqual(before.p_value);
        expect([0, now.sign]).toContain(before.sign);
        expect(now.sign !== 0).toBe(now.p_value <= ALPHA);
        before = now;
      }
    }),
  );
});

test("nothing is said before enough has happened", () => {
  const early = standingOfProportions({ persons: 50, converted: 0 }, { persons: 50, converted: 12 });
  expect(early.isReady).toBe(false);
  expect(alwaysValidP(early)).toBe(1);
  expect(confidenceSequence(early, ALPHA)).toBeUndefined();
  expect(alwaysValidP({ difference: 1, standardError: 0, control: 9, treated: 9, isReady: true })).toBe(1);
  expect(standingOfMeans({ persons: 0, sum: 0, squares: 0 }, { persons: 5, sum: 1, squares: 1 }, 0).isReady).toBe(
    false,
  );
});

/** How often an experiment without any effect is called one by who looks after every tenth person and stops when it is. */
function falseAlarms(rate: number, part: number, seed: number): { sequential: number; fixed: number } {
  const [runs, persons] = [200, 8_000];
  const random = seeded(seed);
  const alarms = { sequential: 0, fixed: 0 };
  for (let run = 0; run < runs; run++) {
    const [a, b] = [0, 1].map(() => ({ persons: 0, converted: 0 })) as [Proportion, Proportion];
    const isCalled = { sequential: false, fixed: false };
    for (let n = 1; n <= persons; n++) {
      const one = random() < part ? b : a;
      one.persons++;
      if (random() < rate) one.converted++;
      if (n % 10 !== 0 || n < 200) continue;
      isCalled.sequential ||= alwaysValidP(standingOfProportions(a, b)) <= ALPHA;
      isCalled.fixed ||= n % 100 === 0 && compareProportions(a, b, ALPHA)!.p_value <= ALPHA;
    }
    alarms.sequential += Number(isCalled.sequential) / runs;
    alarms.fixed += Number(isCalled.fixed) / runs;
  }
  return alarms;
}
type Proportion = Parameters<typeof standingOfProportions>[0];

test.each([
  [0.02, 0.5],
  [0.1, 0.1],
  [0.5, 0.5],
])("without an effect (rate %d, part %d): peeking fools the fixed test, not the sequential one", (rate, part) => {
  const { sequential, fixed } = falseAlarms(rate, part, 20_261_121);
  expect(sequential).toBeLessThanOrEqual(ALPHA);
  expect(fixed).toBeGreaterThan(3 * ALPHA);
});

test("nor do sums with a long tail", () => {
  const random = seeded(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const [runs, persons] = [150, 10_000];
  const alarms = { sequential: 0, fixed: 0 };
  for (let run = 0; run < runs; run++) {
    const [a, b] = [0, 1].map(() => ({ persons: 0, sum: 0, squares: 0 })) as [Amounts, Amounts];
    let earners = 0;
    const isCalled = { sequential: false, fixed: false };
    for (let n = 1; n <= persons; n++) {
      const one = random() < 0.5 ? b : a;
      one.persons++;
      if (random() < 0.05) {
        const sum = Math.exp(5 + 1.2 * normal());
        earners++;
        one.sum += sum;
        one.squares += sum ** 2;
      }
      if (n % 20 !== 0) continue;
      isCalled.sequential ||= alwaysValidP(standingOfMeans(a, b, earners)) <= ALPHA;
      isCalled.fixed ||= n % 100 === 0 && compareMeans(a, b, ALPHA)!.p_value <= ALPHA;
    }
    alarms.sequential += Number(isCalled.sequential) / runs;
    alarms.fixed += Number(isCalled.fixed) / runs;
  }
  expect(alarms.sequential).toBeLessThanOrEqual(ALPHA);
  expect(alarms.fixed).toBeGreaterThan(2 * ALPHA);
});
type Amounts = Parameters<typeof standingOfMeans>[0];

test("an effect that is there is found", () => {
  const random = seeded(11);
  let found = 0;
  for (let run = 0; run < 50; run++) {
    const [a, b] = [0, 1].map(() => ({ persons: 0, converted: 0 })) as [Proportion, Proportion];
    const standings: Standing[] = [];
    for (let n = 1; n <= 20_000; n++) {
      const isTreated = random() < 0.5;
      const one = isTreated ? b : a;
      one.persons++;
      if (random() < (isTreated ? 0.13 : 0.1)) one.converted++;
      if (n % 500 === 0) standings.push(standingOfProportions(a, b));
    }
    if (followSequence(standings, ALPHA).sign === 1) found++;
  }
  expect(found).toBeGreaterThanOrEqual(45);
});
