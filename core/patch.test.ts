import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { parsePointer } from "./json-pointer.ts";
import { applyPatch, isSameJson, type Patch, patchSchema } from "./patch.ts";

const ID = "11111111-1111-4111-8111-111111111111";
const patched = (event: unknown, ...patch: Patch) => applyPatch(event, patchSchema.parse(patch), ID);

describe("each operation", () => {
  test.each<[string, unknown, Patch[number], unknown]>([
    ["sets", { a: 1 }, { op: "set", path: "/b/c", value: [2] }, { a: 1, b: { c: [2] } }],
    ["sets the whole", [1], { op: "set", path: "", value: { a: 1 } }, { a: 1 }],
    ["sets an element", { l: [1, 2] }, { op: "set", path: "/l/1", value: 3 }, { l: [1, 3] }],
    ["makes no elements", { l: [1] }, { op: "set", path: "/l/1", value: 3 }, { l: [1] }],
    ["sets nothing within a text", { a: "x" }, { op: "set", path: "/a/b", value: 1 }, { a: "x" }],
    ["removes", { a: 1, b: 2 }, { op: "remove", path: "/a" }, { b: 2 }],
    ["removes an element", { l: [1, 2] }, { op: "remove", path: "/l/0" }, { l: [2] }],
    ["removes nothing that is not there", { a: 1 }, { op: "remove", path: "/b/c" }, { a: 1 }],
    ["renames", { uid: "u", x: 1 }, { op: "rename", from: "/uid", to: "/user_id" }, { user_id: "u", x: 1 }],
    ["renames nothing into itself", { a: { b: 1 } }, { op: "rename", from: "/a", to: "/a/b" }, { a: { b: 1 } }],
    ["copies", { a: 1 }, { op: "copy", from: "/a", to: "/b" }, { a: 1, b: 1 }],
    ["replaces", { a: "INR " }, { op: "replace", path: "/a", old: "INR ", new: "INR" }, { a: "INR" }],
    ["replaces nothing else", { a: "USD" }, { op: "replace", path: "/a", old: "INR ", new: "INR" }, { a: "USD" }],
    ["coerces a number", { a: " 1,299.50 " }, { op: "coerce", path: "/a", to: "number" }, { a: 1299.5 }],
    ["leaves what is no number", { a: "12 apples" }, { op: "coerce", path: "/a", to: "number" }, { a: "12 apples" }],
    [
      "keeps all digits",
      { a: "9007199254740993" },
      { op: "coerce", path: "/a", to: "number" },
      { a: "9007199254740993" },
    ],
    ["coerces a text", { a: 42 }, { op: "coerce", path: "/a", to: "string" }, { a: "42" }],
    ["coerces a boolean", { a: "Yes" }, { op: "coerce", path: "/a", to: "boolean" }, { a: true }],
    [
      "reads seconds",
      { t: 1_763_719_200 },
      { op: "coerce", path: "/t", to: "timestamp" },
      { t: "2025-11-21T10:00:00.000Z" },
    ],
    [
      "reads milliseconds",
      { t: "1763719200123" },
      { op: "coerce", path: "/t", to: "timestamp" },
      { t: "2025-11-21T10:00:00.123Z" },
    ],
    [
      "reads a date",
      { t: "2025-11-21 10:00 +0530" },
      { op: "coerce", path: "/t", to: "timestamp" },
      { t: "2025-11-21T04:30:00.000Z" },
    ],
    ["guesses at no date", { t: "11/12/2025" }, { op: "coerce", path: "/t", to: "timestamp" }, { t: "11/12/2025" }],
    ["cuts", { a: "abcdef" }, { op: "cut", path: "/a", max: 3 }, { a: "abc" }],
    ["cuts no character in halves", { a: "ab😀" }, { op: "cut", path: "/a", max: 3 }, { a: "ab" }],
    ["where a condition holds", { a: 1 }, { op: "remove", path: "/a", when: { path: "/a", is: "number" } }, {}],
    ["where a value is so", { a: 1 }, { op: "remove", path: "/a", when: { path: "/a", equals: 1 } }, {}],
    ["not where it does not", { a: 1 }, { op: "remove", path: "/a", when: { path: "/b", is: "present" } }, { a: 1 }],
  ])("%s", (_, event, operation, expected) => expect(patched(event, operation)).toEqual(expected));

  test("derives an id from the letter: a UUID, the same each time, another for another letter", () => {
    const [patch] = [patchSchema.parse([{ op: "derive_id", path: "/event_id" }])];
    const { event_id } = applyPatch({}, patch, ID) as { event_id: string };
    expect(event_id).toMatch(/^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(applyPatch({}, patch, ID)).toEqual({ event_id });
    expect(applyPatch({}, patch, ID.replaceAll("1", "2"))).not.toEqual({ event_id });
  });

  test("one after the other, each on what the one before has left", () => {
    const event = { ts: 1_763_719_200, props: {} };
    const patch: Patch = [
      { op: "rename", from: "/ts", to: "/timestamp", when: { path: "/timestamp", is: "absent" } },
      { op: "coerce", path: "/timestamp", to: "timestamp" },
    ];
    expect(patched(event, ...patch)).toEqual({ props: {}, timestamp: "2025-11-21T10:00:00.000Z" });
  });

  test("a patch that copies again and again does not grow without end", () => {
    const copies: Patch = Array.from({ length: 20 }, (_, i) => ({
      op: "copy",
      from: i % 2 === 0 ? "/a" : "/b",
      to: i % 2 === 0 ? `/b/${i}` : `/a/${i}`,
    }));
    const after = applyPatch({ a: { text: "x".repeat(1_000) }, b: {} }, copies, ID);
    expect(JSON.stringify(after).length).toBeLessThan(200_000);
  });
});

describe("refuses", () => {
  test.each<[string, unknown]>([
    ["a prototype's key", [{ op: "set", path: "/__proto__/polluted", value: true }]],
    ["a constructor", [{ op: "copy", from: "/a", to: "/constructor/prototype/x" }]],
    ["a condition on one", [{ op: "remove", path: "/a", when: { path: "/__proto__", is: "present" } }]],
    ["a pointer that is none", [{ op: "remove", path: "a" }]],
    ["a half escape", [{ op: "remove", path: "/a~2" }]],
    ["to remove everything", [{ op: "remove", path: "" }]],
    ["an operation it does not know", [{ op: "eval", path: "/a", value: "process.exit()" }]],
    ["a word too much", [{ op: "remove", path: "/a", code: "x" }]],
    ["too many", Array.from({ length: 21 }, () => ({ op: "remove", path: "/a" }))],
    ["none", []],
    ["too much", [{ op: "set", path: "/a", value: "x".repeat(9_000) }]],
    ["too deep", [{ op: "remove", path: "/a".repeat(33) }]],
  ])("%s", (_, patch) => expect(patchSchema.safeParse(patch).success).toBe(false));
});

const key = fc.constantFrom("a", "b", "props", "0", "1", "", "~", "/", "toString", "hasOwnProperty", "é");
const path = fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => pointerOf(keys));
const json = fc.jsonValue({ maxDepth: 3 });
const event = fc.letrec((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, json, fc.dictionary(key, tie("node")), fc.array(tie("node"), { maxLength: 3 })),
})).node;
const operation = fc.oneof(
  fc.record({ op: fc.constant("set" as const), path, value: json }),
  fc.record({ op: fc.constant("remove" as const), path }),
  fc.record({ op: fc.constant("rename" as const), from: path, to: path }),
  fc.record({ op: fc.constant("copy" as const), from: path, to: path }),
  fc.record({ op: fc.constant("replace" as const), path, old: json, new: json }),
  fc.record({
    op: fc.constant("coerce" as const),
    path,
    to: fc.constantFrom("number", "string", "boolean", "timestamp"),
  }),
  fc.record({ op: fc.constant("cut" as const), path, max: fc.nat({ max: 20 }).map((n) => n + 1) }),
  fc.record({ op: fc.constant("derive_id" as const), path }),
) as fc.Arbitrary<Patch[number]>;
const patch = fc.array(operation, { minLength: 1, maxLength: 6 });

function pointerOf(keys: readonly string[]): string {
  return keys.map((one) => `/${one.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

describe("whatever the event and the patch", () => {
  test("the same comes out each time, it is JSON, and what was handed in stays as it was", () => {
    fc.assert(
      fc.property(event, patch, (event, patch) => {
        const before = JSON.stringify(event);
        const [once, twice] = [applyPatch(event, patch, ID), applyPatch(event, patch, ID)];
        expect(JSON.stringify(event)).toBe(before);
        expect(isSameJson(once, twice)).toBe(true);
        expect(isSameJson(JSON.parse(JSON.stringify(once)), once)).toBe(true);
      }),
    );
  });

  test("nobody's prototype is touched", () => {
    const names = Object.getOwnPropertyNames(Object.prototype).length;
    fc.assert(
      fc.property(event, patch, (event, patch) => {
        applyPatch(event, patch, ID);
        expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(names);
        expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
      }),
    );
  });

  test("what is renamed there and back stands where it stood", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("a", "b", "c"), json), (event) => {
        const there = patched(event, { op: "rename", from: "/a", to: "/z" });
        expect(isSameJson(patched(there, { op: "rename", from: "/z", to: "/a" }), event)).toBe(true);
      }),
    );
  });

  test("what was set is there, and nothing else has changed", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("a", "b", "c"), json), json, (event, value) => {
        const after = patched(event, { op: "set", path: "/a", value: value as never }) as Record<string, unknown>;
        const { a: _, ...others } = event;
        expect(isSameJson(after, { ...others, a: value })).toBe(true);
      }),
    );
  });

  test("any text is a pointer that leads nowhere forbidden, or none", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), path), (text) => {
        const tokens = parsePointer(text);
        expect(tokens === null ? text : pointerOf(tokens)).toBe(text);
        expect(tokens?.some((token) => ["__proto__", "constructor", "prototype"].includes(token)) ?? false).toBe(false);
      }),
    );
  });
});
