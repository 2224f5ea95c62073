import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { anySchema, writtenBy } from "../../test/support/arbitrary-schema.ts";
import { compileSchema } from "./compile.ts";
import type { ValueSchema } from "./schema.ts";

/**
 * zod reads JSON Schema, too, but in its own way: a bound without a type and a list's bounds without `items` it passes over, it counts
 * UTF-16 units, knows no integer beyond 2^53, and takes `constructor` for there. So it is asked only what it reads as everybody does.
 */
function plain<T>(value: T): T {
  const text = JSON.stringify(value)
    .replaceAll("\u{1F600}", "y")
    .replaceAll("1e+300", "7")
    .replaceAll("constructor", "k");
  return JSON.parse(text) as T;
}

function spellOut(schema: ValueSchema): ValueSchema {
  const { type = ["null", "boolean", "string", "number", "array", "object"], items = {}, properties, ...rest } = schema;
  const { additionalProperties: others } = rest;
  const inner = Object.entries(properties ?? {}).map(([name, property]) => [name, spellOut(property)]);
  return {
    ...rest,
    type,
    items: Object.keys(items).length === 0 ? items : spellOut(items),
    ...(properties && { properties: Object.fromEntries(inner) as Record<string, ValueSchema> }),
    ...(typeof others === "object" && { additionalProperties: spellOut(others) }),
  };
}

test("takes and refuses what another reader of JSON Schema does", () => {
  const said = { yes: 0, no: 0 };
  fc.assert(
    fc.property(anySchema, anySchema, fc.infiniteStream(fc.nat()), (drawn, other, numbers) => {
      const schema = spellOut(plain(drawn));
      const [check, oracle] = [
        compileSchema(schema),
        z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]),
      ];
      const pick = (below: number) => Number(numbers.next().value) % Math.max(below, 1);
      for (const writer of [schema, other]) {
        const value = plain(writtenBy(writer, pick));
        const fits = oracle.safeParse(value).success;
        said[fits ? "yes" : "no"] += 1;
        expect({ value, fits: check(value).length === 0 }).toEqual({ value, fits });
      }
    }),
    { numRuns: 2_000 },
  );
  expect(Math.min(said.yes, said.no)).toBeGreaterThan(400);
}, 60_000);

const props = (properties: Record<string, ValueSchema>, more: ValueSchema = {}): ValueSchema => ({
  type: "object",
  properties,
  ...more,
});

describe("what that one reads otherwise", () => {
  test.each<[string, ValueSchema, unknown, string[]]>([
    ["a length in characters", { maxLength: 2 }, "\u{1F600}\u{1F600}", []],
    ["one too many", { maxLength: 2 }, "\u{1F600}\u{1F600}x", [" is longer than 2"]],
    ["one too few", { minLength: 3 }, "\u{1F600}\u{1F600}", [" is shorter than 3"]],
    [
      "a name of JavaScript's that is not there",
      props({ constructor: { type: "string" } as const }, { required: ["constructor"] }),
      {},
      ["/constructor is missing"],
    ],
    ["a whole number with a fraction of nothing", { type: "integer" }, 1.0, []],
    ["a very large one", { type: "integer" }, 1e300, []],
    ["a day", { format: "date" }, "2026-02-28", []],
    ["a day that there is not", { format: "date" }, "2026-02-30", [" is no date"]],
    ["more than a day", { format: "date" }, "2026-02-28T", [" is no date"]],
    ["a moment", { format: "date-time" }, "2026-02-28T10:00:00.5+05:30", []],
    ["a moment nobody knows where", { format: "date-time" }, "2026-02-28T10:00:00", [" is no date-time"]],
    ["a UUID", { format: "uuid" }, "0D5E8F6A-9b1c-4c3d-8e2f-1a2b3c4d5e6f", []],
    ["no UUID", { format: "uuid" }, "0D5E8F6A", [" is no uuid"]],
  ])("%s", (_, schema, value, misfits) => {
    expect(compileSchema(schema)(value).map(({ path, reason }) => `${path} ${reason}`)).toEqual(misfits);
  });
});

test("says each way once, names places by the schema, and nothing that the value holds", () => {
  const check = compileSchema(
    {
      type: "object",
      properties: { "a/b": { type: "array", items: { type: ["string", "null"] } } },
      additionalProperties: { type: "number" },
    },
    ["props"],
  );
  expect(check({ "a/b": [1, 2, "x", true, null], secret: "s", other: "s" })).toEqual([
    { path: "/props/a~1b/*", reason: "is number, not string or null" },
    { path: "/props/a~1b/*", reason: "is boolean, not string or null" },
    { path: "/props/*", reason: "is string, not number" },
  ]);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`p${n}`, { type: "string" } as ValueSchema]));
  const wrong = Object.fromEntries(Object.keys(many).map((name) => [name, 1]));
  expect(compileSchema({ type: "object", properties: many })(wrong)).toHaveLength(10);
});
