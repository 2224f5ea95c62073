import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { findUnstorable, parse, pointerTo } from "./parse.ts";

test("a fault says where and why, all of them at once", () => {
  const schema = z.strictObject({ name: z.string(), list: z.array(z.int()) });
  const attempt = () => parse(schema, { list: [1, "2"], "a/b": 1 }, "thing");
  expect(attempt).toThrow(
    expect.objectContaining({
      code: "invalid",
      message: "The thing is not valid.",
      faults: expect.arrayContaining([
        { path: "/name", reason: expect.stringContaining("expected string") },
        { path: "/list/1", reason: expect.stringContaining("expected number") },
      ]),
    }),
  );
});

test("a JSON pointer escapes what means something in it", () => {
  expect(pointerTo(["a/b", "~", 3])).toBe("/a~1b/~0/3");
});

test.each([
  ["a NUL in a value", { a: ["x\0"] }, "/a/0"],
  ["a NUL in a key", { a: { "x\0": 1 } }, "/a"],
  ["half a surrogate pair", { a: "\ud800" }, "/a"],
  ["the prototype's key", JSON.parse('{"a":{"__proto__":{"admin":true}}}'), "/a"],
])("%s is found", (_, value, path) => {
  expect(findUnstorable(value)).toEqual([{ path, reason: expect.any(String) }]);
});

test("nesting without end is found before the stack is", () => {
  const deep: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
  expect(findUnstorable(deep)).toEqual([{ path: "/0".repeat(64), reason: "nests deeper than 64" }]);
});

test("everything else may be kept", () => {
  const unicode = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
  const json = fc
    .jsonValue({ maxDepth: 5 })
    .map((value) => JSON.parse(JSON.stringify(value).replaceAll("\\u0000", "")));
  fc.assert(
    fc.property(unicode, json, (text, value) => {
      fc.pre(!JSON.stringify(value).includes("__proto__"));
      expect(findUnstorable({ text, value })).toEqual([]);
    }),
  );
});
