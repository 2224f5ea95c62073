import * as fc from "fast-check";
import { expect, test } from "vitest";

import { jsonDifferences } from "./json-difference.ts";

test("names each place once, as deep as both have it", () => {
  const before = { a: 1, b: { c: [1, 2], d: "x" }, "e/f": null };
  const after = { b: { d: "y", c: [1, 3, 4] }, a: 1, g: {} };
  expect(jsonDifferences(before, after)).toEqual([
    { path: "/b/c/1", before: 2, after: 3 },
    { path: "/b/c/2", before: undefined, after: 4 },
    { path: "/b/d", before: "x", after: "y" },
    { path: "/e~1f", before: null, after: undefined },
    { path: "/g", before: undefined, after: {} },
  ]);
});

test("is empty where there is no difference, and only there", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(jsonDifferences(a, structuredClone(a))).toEqual([]);
      const isSame = sorted(a) === sorted(b);
      expect(jsonDifferences(a, b).length === 0).toBe(isSame);
    }),
  );
});

function sorted(value: unknown): string {
  // -0 is 0 to JSON, and another number to whoever compares numbers.
  return JSON.stringify(value, (_, one: unknown) => {
    if (Object.is(one, -0)) return "-0";
    return typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([x], [y]) => (x < y ? -1 : 1)))
      : one;
  });
}
