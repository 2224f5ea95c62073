import { expect, test } from "vitest";

import { findJsonFaults, jsonPointer } from "./json-faults.ts";

test("finds prototype keys and names them by JSON pointer", () => {
  const value: unknown = JSON.parse('{"a":[1,{"__proto__":1}],"x~/y":{"__proto__":{}},"ok":null}');
  expect(findJsonFaults(value, 3, 10)).toEqual([
    { index: 3, path: "/a/1/__proto__", reason: expect.any(String) },
    { index: 3, path: "/x~0~1y/__proto__", reason: expect.any(String) },
  ]);
});

test("finds what lies too deep, and looks no deeper", () => {
  expect(findJsonFaults({ a: { b: {} }, c: { d: 1 } }, 0, 2)).toEqual([
    { index: 0, path: "/a/b", reason: "nested deeper than 2" },
  ]);
});

test("a scalar has no faults", () => {
  for (const value of [null, 1, "__proto__", true]) expect(findJsonFaults(value, 0, 1)).toEqual([]);
});

test("a pointer escapes its two special characters", () => {
  expect(jsonPointer(["a/b", 0, "~"])).toBe("/a~1b/0/~0");
  expect(jsonPointer([])).toBe("");
});
