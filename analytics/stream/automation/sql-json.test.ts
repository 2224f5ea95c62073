import { expect, it } from "vitest";

import { toStorableJson } from "./sql-json.ts";

it.each([
  ["a\0b", "a\uFFFDb"],
  ["\uD83D lonely", "\uFFFD lonely"],
  ["😀 whole", "😀 whole"],
  ["\\u0000 written out", "\\u0000 written out"],
  ["\\\0", "\\\uFFFD"],
])("keeps of %j what PostgreSQL can hold", (text, kept) => {
  expect(JSON.parse(toStorableJson({ [text]: [text] }))).toEqual({ [kept]: [kept] });
});
