import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatTextArray, parseTextArray } from "./text-array.ts";

test.each<[string, (string | null)[]]>([
  ["{}", []],
  ["{a,b}", ["a", "b"]],
  [String.raw`{"a b","c,d","e\\f","g\"h",""}`, ["a b", "c,d", String.raw`e\f`, 'g"h', ""]],
  ['{NULL,"NULL"}', [null, "NULL"]],
  ["{user|1}", ["user|1"]],
])("reads %s", (text, items) => {
  expect(parseTextArray(text)).toEqual(items);
});

test("what was written is read as it was", () => {
  const items = fc.array(fc.option(fc.string({ unit: "grapheme" })));
  fc.assert(
    fc.property(items, (given) => {
      expect(parseTextArray(formatTextArray(given))).toEqual(given);
    }),
  );
});
