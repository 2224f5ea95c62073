import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { anySchema, mutate, writtenBy } from "../../test/support/arbitrary-schema.ts";
import { findBreaks } from "./compare.ts";
import { compileSchema } from "./compile.ts";
import type { ValueSchema } from "./schema.ts";

const pair = fc.oneof(fc.tuple(anySchema, anySchema), {
  weight: 6,
  arbitrary: fc
    .tuple(anySchema, anySchema, fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }))
    .map(([schema, other, seed]): [ValueSchema, ValueSchema] => [schema, mutate(schema, other, seed)]),
});

const DOCUMENTS = 12;

test("whatever is written by the one fits the other, where nothing is named that would break", () => {
  const said = { compatible: 0, breaking: 0, witnessed: 0, documents: 0 };
  fc.assert(
    fc.property(pair, fc.boolean(), fc.infiniteStream(fc.nat()), ([one, other], isTurned, numbers) => {
      const [writer, reader] = isTurned ? [other, one] : [one, other];
      const [canWrite, canRead] = [compileSchema(writer), compileSchema(reader)];
      const pick = (below: number) => Number(numbers.next().value) % Math.max(below, 1);
      const written = Array.from({ length: DOCUMENTS }, () => writtenBy(writer, pick)).filter(
        (value) => canWrite(value).length === 0,
      );
      const breaks = findBreaks(writer, reader);
      const lost = written.filter((value) => canRead(value).length > 0);
      said[breaks.length === 0 ? "compatible" : "breaking"] += 1;
      said.documents += written.length;
      if (breaks.length > 0 && lost.length > 0) said.witnessed += 1;
      expect(breaks.length === 0 ? lost : []).toEqual([]);
    }),
    { numRuns: 3_000 },
  );
  // Neither verdict is rare, and many a break is shown by a value that was drawn.
  expect(said.compatible).toBeGreaterThan(200);
  expect(said.breaking).toBeGreaterThan(200);
  expect(said.documents).toBeGreaterThan(5_000);
  expect(said.witnessed).toBeGreaterThan(said.breaking / 4);
}, 60_000);

test("every schema can read itself", () => {
  const reads = fc.property(anySchema, (schema) => {
    expect(findBreaks(schema, schema)).toEqual([]);
  });
  fc.assert(reads, { numRuns: 1_000 });
});

const say = (writer: ValueSchema, reader: ValueSchema) =>
  findBreaks(writer, reader).map(({ path, reason }) => `${path} ${reason}`);
const object = (properties: Record<string, ValueSchema>, more: Partial<ValueSchema> = {}): ValueSchema => ({
  type: "object",
  properties,
  ...more,
});
const price: ValueSchema = { type: "number", minimum: 0 };

describe("what a reader of old and new makes of", () => {
  test.each<[string, ValueSchema, ValueSchema, string[], string[]]>([
    ["a new optional property", object({ price }), object({ price, note: { type: "string" } }), [], []],
    ["a new required property", object({}), object({ price }, { required: ["price"] }), ["/price requires it"], []],
    [
      "one required no longer",
      object({ price }, { required: ["price"] }),
      object({ price }),
      [],
      ["/price requires it"],
    ],
    ["one removed", object({ price }), object({}), [], []],
    [
      "one removed where nothing else may be",
      object({ price }, { additionalProperties: false }),
      object({}, { additionalProperties: false }),
      ["/price does not describe it, and takes nothing that it does not describe"],
      [],
    ],
    [
      "one described that might have been there",
      object({}, { additionalProperties: true }),
      object({ note: { type: "string" } }),
      [
        "/note does not take null",
        "/note does not take booleans",
        "/note does not take numbers",
        "/note does not take arrays",
        "/note does not take objects",
      ],
      [],
    ],
    [
      "a wider type",
      object({ price }),
      object({ price: { type: ["number", "null"] } }),
      [],
      ["/price does not take null", "/price does not take numbers less than 0"],
    ],
    [
      "whole numbers only",
      object({ price: { type: "number" } }),
      object({ price: { type: "integer" } }),
      ["/price does not take fractions"],
      [],
    ],
    ["more values", { enum: ["a"] }, { enum: ["a", "b"] }, [], [' does not take "b"']],
    ["a list of values", { type: "string" }, { enum: ["a"] }, [" takes only some values"], []],
    [
      "bounds of whole numbers that say the same",
      { type: "integer", minimum: 1 },
      { type: "integer", exclusiveMinimum: 0 },
      [],
      [],
    ],
    [
      "an open bound",
      { type: "number", minimum: 1 },
      { type: "number", exclusiveMinimum: 1 },
      [" does not take numbers up to 1"],
      [],
    ],
    ["shorter texts", { type: "string" }, { type: "string", maxLength: 3 }, [" does not take texts longer than 3"], []],
    ["a format", { type: "string" }, { type: "string", format: "uuid" }, [" takes only texts of the format uuid"], []],
    [
      "elements",
      { type: "array", items: price },
      { type: "array", items: { type: "number" } },
      [],
      ["/* does not take numbers less than 0"],
    ],
    [
      "a list that is never empty",
      { type: "array" },
      { type: "array", minItems: 1 },
      [" does not take lists of fewer than 1"],
      [],
    ],
  ])("%s", (_, old, next, backward, forward) => {
    expect(say(old, next).toSorted()).toEqual(backward.toSorted());
    expect(say(next, old).toSorted()).toEqual(forward.toSorted());
  });
});
