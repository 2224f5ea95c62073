import * as fc from "fast-check";
import { expect, test } from "vitest";

import { addCount, type Counts, MAX_COUNTED_TYPES, minuteOf, OTHER_TYPES } from "./counters.ts";
import { sumCounts } from "./sum-counts.ts";

const count = (types: readonly string[]) => types.reduce<Counts>((counts, type) => addCount(counts, type), {});

test("counted in parts and summed is counted as a whole", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), (first, second) => {
      expect(sumCounts([count(first), count(second)])).toEqual(count([...first, ...second]));
    }),
  );
});

test("made-up types do not fill the item, and none is lost", () => {
  const counts = count(Array.from({ length: MAX_COUNTED_TYPES + 50 }, (_, n) => `type-${n}`));
  expect(Object.keys(counts)).toHaveLength(MAX_COUNTED_TYPES + 1);
  expect(counts[OTHER_TYPES]).toBe(50);
});

test("names that objects know mean nothing special", () => {
  const counts = count(["__proto__", "constructor", "__proto__"]);
  expect(Object.entries(counts)).toEqual([
    ["__proto__", 2],
    ["constructor", 1],
  ]);
});

test("the minute of a time", () => {
  expect(minuteOf("2026-11-21T10:07:59.999Z")).toBe("2026-11-21T10:07Z");
});
