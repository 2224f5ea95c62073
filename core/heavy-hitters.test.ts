import * as fc from "fast-check";
import { expect, test } from "vitest";

import { createHeavyHitters } from "./heavy-hitters.ts";

const additions = fc.array(
  fc.tuple(fc.oneof(fc.constantFrom("a", "b", "c"), fc.string({ maxLength: 2 })), fc.integer({ min: 1, max: 1_000 })),
  { maxLength: 400 },
);
const capacities = fc.integer({ min: 1, max: 12 });

function weigh(added: readonly (readonly [string, number])[]): Map<string, number> {
  const weights = new Map<string, number>();
  for (const [key, weight] of added) weights.set(key, (weights.get(key) ?? 0) + weight);
  return weights;
}

test("every weight lies within its error, and nothing heavier than its share of the memory is missed", () => {
  fc.assert(
    fc.property(additions, capacities, (added, capacity) => {
      const sketch = createHeavyHitters(capacity);
      for (const [key, weight] of added) sketch.add(key, weight);
      const truth = weigh(added);
      const top = sketch.top(capacity);
      for (const { key, weight, error } of top) {
        expect(weight).toBeGreaterThanOrEqual(truth.get(key) ?? 0);
        expect(weight - error).toBeLessThanOrEqual(truth.get(key) ?? 0);
        expect(sketch.find(key)).toEqual({ key, weight, error });
        expect(error).toBeLessThanOrEqual(sketch.total / capacity);
      }
      const found = new Set(top.map(({ key }) => key));
      const missed = [...truth].filter(([key, weight]) => weight > sketch.total / capacity && !found.has(key));
      expect(missed).toEqual([]);
      expect(sketch.size).toBe(Math.min(capacity, truth.size));
      expect(top.reduce((sum, { weight }) => sum + weight, 0)).toBe(sketch.total);
    }),
    { numRuns: 300 },
  );
});

test("with room for all it is exact, heaviest first", () => {
  fc.assert(
    fc.property(additions, (added) => {
      const sketch = createHeavyHitters(500);
      for (const [key, weight] of added) sketch.add(key, weight);
      const top = sketch.top(500);
      expect(new Map(top.map(({ key, weight }) => [key, weight]))).toEqual(weigh(added));
      expect(top.map(({ weight }) => weight)).toEqual(top.map(({ weight }) => weight).toSorted((a, b) => b - a));
    }),
  );
});

test("memory stays bounded, whatever comes, and one heavy key among a million is found", () => {
  const sketch = createHeavyHitters(64);
  for (let n = 0; n < 1_000_000; n++) sketch.add(n % 20 === 0 ? "bot" : `person-${n}`, 1);
  expect(sketch.size).toBe(64);
  const [first] = sketch.top(1);
  expect(first?.key).toBe("bot");
  expect((first?.weight ?? 0) - (first?.error ?? 0)).toBeGreaterThan(30_000);
});

test("what weighs nothing is nothing", () => {
  const sketch = createHeavyHitters(1);
  sketch.add("a", 0);
  sketch.add("a", Number.NaN);
  expect({ size: sketch.size, total: sketch.total }).toEqual({ size: 0, total: 0 });
});
