import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createPipelineCount, type DealState, type PipelineRange } from "./count-stages.ts";
import type { Stage, StageKind } from "./pipeline.ts";

const stage = (name: string, kind: StageKind, probability: number): Stage => ({ stage: name, name, kind, probability });
const STAGES = [
  stage("a", "open", 0.1),
  stage("b", "open", 0.5),
  stage("gone", "lost", 0),
  stage("c", "open", 0.7),
  stage("won", "won", 1),
];
const RANKS: Record<string, number> = { a: 0, b: 1, gone: -1, c: 3, won: 5 };
const LAST_MS = 40;

/** A deal's states at small times, several at once at times. */
const dealArbitrary = fc
  .array(
    fc.record({
      atMs: fc.integer({ min: 0, max: LAST_MS }),
      stage: fc.constantFrom(...STAGES.map((one) => one.stage)),
      amount_minor: fc.option(fc.integer({ min: 0, max: 1_000 })),
      currency: fc.constantFrom("EUR", "INR"),
      reason: fc.constantFrom(null, "dear", "late"),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((states): DealState[] => states.toSorted((x, y) => x.atMs - y.atMs));
const rangeArbitrary = fc
  .tuple(...[0, 1, 2].map(() => fc.integer({ min: 0, max: LAST_MS + 5 })))
  .map((times): PipelineRange => {
    const [learnFromMs = 0, startMs = 0, endMs = 0] = times.toSorted((x, y) => x - y);
    return { startMs, endMs, learnFromMs };
  });

function countAll(deals: readonly DealState[][], range: PipelineRange) {
  const { add, count } = createPipelineCount(STAGES, range);
  for (const deal of deals) add(deal.filter(({ atMs }) => atMs < range.endMs));
  return count;
}

const stageAt = (deal: readonly DealState[], ms: number) => deal.findLast(({ atMs }) => atMs <= ms)?.stage;

/** Said anew, moment by moment and change by change. */
function bruteForce(deals: readonly DealState[][], { startMs, endMs, learnFromMs }: PipelineRange) {
  const known = deals.map((deal) => deal.filter(({ atMs }) => atMs < endMs)).filter((deal) => deal.length > 0);
  const isIn = (atMs: number, fromMs = startMs) => atMs >= fromMs && atMs < endMs;
  const changes = known.flatMap((deal) =>
    deal.map((state, i) => ({ deal, i, to: state.stage, from: deal[i - 1]?.stage, atMs: state.atMs })),
  );
  const moves = changes.filter(({ from, to }) => from !== to);
  const moments = Array.from({ length: endMs - learnFromMs }, (_, i) => learnFromMs + i);
  return STAGES.map(({ stage: name }) => {
    const entries = moves.filter(({ to, atMs }) => to === name && isIn(atMs));
    const first = known.flatMap((deal) => entries.find((entry) => entry.deal === deal) ?? []);
    const further = ({ deal, i }: (typeof first)[number]) =>
      deal.slice(i + 1).some((later) => RANKS[later.stage]! > RANKS[name]!);
    return {
      deals: known.filter((deal) => deal.at(-1)!.stage === name).length,
      entered: entries.length,
      left: moves.filter(({ from, atMs }) => from === name && isIn(atMs)).length,
      reached: first.length,
      advanced: first.filter(further).length,
      exposureMs: known.reduce((sum, deal) => sum + moments.filter((ms) => stageAt(deal, ms) === name).length, 0),
      moves: STAGES.map(
        (next) =>
          moves.filter((one) => one.from === name && one.to === next.stage && isIn(one.atMs, learnFromMs)).length,
      ),
    };
  });
}

const worthOf = (states: readonly DealState[], currency: string) =>
  states.reduce((sum, one) => sum + (one.currency === currency ? (one.amount_minor ?? 0) : 0), 0);

describe("the count of a pipeline", () => {
  it("is what going through every change and every moment gives", () =>
    fc.assert(
      fc.property(fc.array(dealArbitrary, { maxLength: 12 }), rangeArbitrary, (deals, range) => {
        const count = countAll(deals, range);
        const found = count.stages.map(({ deals: there, entered, left, reached, advanced }, i) => ({
          deals: there,
          entered,
          left,
          reached,
          advanced,
          exposureMs: count.exposureMs[i],
          moves: count.moves[i],
        }));
        expect(found).toEqual(bruteForce(deals, range));
      }),
      { numRuns: 400 },
    ));

  it("of the end is that of the start, more what came, less what went; time in a stage is between the two", () =>
    fc.assert(
      fc.property(fc.array(dealArbitrary, { maxLength: 12 }), rangeArbitrary, (deals, range) => {
        const before = countAll(deals, { startMs: 0, endMs: range.startMs, learnFromMs: 0 });
        const after = countAll(deals, range);
        for (const [i, { deals: there, entered, left, staysMs }] of after.stages.entries()) {
          expect(there).toBe(before.stages[i]!.deals + entered - left);
          expect(staysMs).toHaveLength(left);
          expect(staysMs.every((ms) => ms >= 0 && ms < range.endMs)).toBe(true);
        }
      }),
    ));

  it("of money is of the deals at the end; the closed of the range and the open are told apart", () =>
    fc.assert(
      fc.property(fc.array(dealArbitrary, { maxLength: 12 }), rangeArbitrary, (deals, range) => {
        const count = countAll(deals, range);
        const last = deals.flatMap((deal) => deal.findLast(({ atMs }) => atMs < range.endMs) ?? []);
        for (const currency of ["EUR", "INR"]) {
          const stages = count.stages.reduce((sum, { amounts }) => sum + (amounts[currency] ?? 0), 0);
          expect(stages).toBe(worthOf(last, currency));
          const open = last.filter((one) => ["a", "b", "c"].includes(one.stage));
          expect(count.open.amounts[currency] ?? 0).toBe(worthOf(open, currency));
        }
        expect(count.openDeals).toHaveLength(count.open.deals);
        expect(count.won.deals).toBeLessThanOrEqual(count.stages[4]!.deals);
        expect([...count.lost.reasons.values()].reduce((sum, n) => sum + n, 0)).toBe(count.lost.deals);
        const whole = countAll(deals, { ...range, startMs: 0 });
        expect(whole.won).toEqual({ deals: count.stages[4]!.deals, amounts: count.stages[4]!.amounts });
        expect(whole.created).toBe(last.length);
      }),
    ));
});
