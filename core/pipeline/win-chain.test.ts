import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DAY_MS } from "../time.ts";
import type { Stage } from "./pipeline.ts";
import { learnChain } from "./win-chain.ts";

const KINDS = ["open", "open", "open", "won", "lost"] as const;
const stagesOf = (probabilities: readonly number[]): Stage[] =>
  KINDS.map((kind, i) => ({
    stage: `s${i}`,
    name: "",
    kind,
    probability: probabilities[i] ?? (kind === "won" ? 1 : 0),
  }));

const chance = fc.double({ min: 0, max: 1, noNaN: true });
const seenArbitrary = fc.record({
  probabilities: fc.tuple(chance, chance, chance),
  moves: fc.array(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 5, maxLength: 5 }), {
    minLength: 5,
    maxLength: 5,
  }),
  days: fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 5, maxLength: 5 }),
});

type Seen = typeof seenArbitrary extends fc.Arbitrary<infer T> ? T : never;
function setUp({ probabilities, moves, days }: Seen) {
  // No stage is left for itself.
  const between = moves.map((row, i) => row.map((n, j) => (i === j ? 0 : n)));
  return { stages: stagesOf(probabilities), seen: { moves: between, exposureMs: days.map((n) => n * DAY_MS) } };
}

/** The chain's own definition, step by step. */
function stepChances({ stages, seen }: ReturnType<typeof setUp>): number[][] {
  return seen.moves.slice(0, 3).map((row, from) => {
    const n = row.reduce((sum, one) => sum + one, 0);
    const prior = [0, 0, 0, 4 * stages[from]!.probability, 4 * (1 - stages[from]!.probability)];
    return row.map((one, to) => (one + prior[to]!) / (n + 4));
  });
}

describe("the chain of stages", () => {
  it("wins as often as going on step by step until nothing is left", () =>
    fc.assert(
      fc.property(seenArbitrary, (given) => {
        const set = setUp(given);
        const steps = stepChances(set);
        let win = [0, 0, 0, 1, 0];
        for (let k = 0; k < 3_000; k++) {
          win = win.map((one, from) => steps[from]?.reduce((sum, part, to) => sum + part * win[to]!, 0) ?? one);
        }
        const outlooks = learnChain(set.stages, set.seen, DAY_MS);
        for (const [i, one] of outlooks.entries()) expect(one.win).toBeCloseTo(win[i]!, 6);
      }),
      { numRuns: 60 },
    ));

  it("wins within a time as often as by chance steps of equal pace (uniformisation)", () =>
    fc.assert(
      fc.property(seenArbitrary, fc.integer({ min: 1, max: 120 }), (given, horizonDays) => {
        const set = setUp(given);
        const steps = stepChances(set);
        const rates = set.seen.moves
          .slice(0, 3)
          .map((row, i) => (row.reduce((sum, n) => sum + n, 0) + 1) / (given.days[i]! + 30));
        const pace = Math.max(...rates);
        const mean = pace * horizonDays;
        let [at, weight, sum] = [[0, 0, 0, 1, 0], Math.exp(-mean), [0, 0, 0]];
        for (let k = 0; k < mean + 12 * Math.sqrt(mean) + 40; k++) {
          sum = sum.map((one, i) => one + weight * at[i]!);
          at = at.map((one, from) => {
            const part = (rates[from] ?? 0) / pace;
            return (1 - part) * one + part * (steps[from]?.reduce((s, p, to) => s + p * at[to]!, 0) ?? 0);
          });
          weight *= mean / (k + 1);
        }
        const outlooks = learnChain(set.stages, set.seen, horizonDays * DAY_MS);
        for (const [i, expected] of sum.entries()) expect(outlooks[i]!.winWithin).toBeCloseTo(expected, 6);
      }),
      { numRuns: 60 },
    ));

  it("wins more the longer one waits, and never more than ever", () =>
    fc.assert(
      fc.property(seenArbitrary, (given) => {
        const { stages, seen } = setUp(given);
        const soon = learnChain(stages, seen, 10 * DAY_MS);
        const later = learnChain(stages, seen, 100 * DAY_MS);
        const atLast = learnChain(stages, seen, 1e7 * DAY_MS);
        for (const [i, { win, winWithin }] of soon.entries()) {
          expect(winWithin).toBeLessThanOrEqual(later[i]!.winWithin + 1e-9);
          expect(later[i]!.winWithin).toBeLessThanOrEqual(win);
          expect(atLast[i]!.winWithin).toBeCloseTo(win, 6);
        }
      }),
    ));

  it("knows only what its owner believes before anything was seen; with one stage it is Beta's mean", () => {
    const nothing = { moves: KINDS.map(() => KINDS.map(() => 0)), exposureMs: KINDS.map(() => 0) };
    expect(learnChain(stagesOf([0.1, 0.5, 0.8]), nothing, DAY_MS).map(({ win }) => win)).toEqual([
      expect.closeTo(0.1, 12),
      expect.closeTo(0.5, 12),
      expect.closeTo(0.8, 12),
      1,
      0,
    ]);
    const one = stagesOf([0.5]).filter((_, i) => i === 0 || i > 2);
    const seen = {
      moves: [
        [0, 7, 1],
        [0, 0, 0],
        [0, 0, 0],
      ],
      exposureMs: [0, 0, 0],
    };
    const [outlook] = learnChain(one, seen, DAY_MS);
    expect(outlook).toMatchObject({ win: expect.closeTo((4 * 0.5 + 7) / (4 + 8), 12), strength: 12, seen: 8 });
  });
});
