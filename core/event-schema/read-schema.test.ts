import * as fc from "fast-check";
import { expect, test } from "vitest";

import { propsSchema } from "../../test/support/arbitrary-schema.ts";
import { compileSchema } from "./compile.ts";
import { findSchemaFaults } from "./read-schema.ts";

const nested = (levels: number): object => (levels === 0 ? {} : { type: "array", items: nested(levels - 1) });
const wide = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, {}]));
const props = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });

test.each<[string, unknown, string]>([
  ["no object", [], " must be a JSON Schema: an object"],
  ["nothing about its type", {}, '/type must be "object": props are one'],
  [
    "another dialect",
    { $schema: "http://json-schema.org/draft-07/schema#", type: "object" },
    "/$schema must be https://json-schema.org/draft/2020-12/schema, or left out",
  ],
  [
    "a keyword that is not taken",
    props({ a: { pattern: "^a" } }),
    "/properties/a/pattern is no keyword that is taken here",
  ],
  [
    "a keyword of JavaScript's",
    props({ a: { constructor: 1 } }),
    "/properties/a/constructor is no keyword that is taken here",
  ],
  [
    "an unknown type",
    props({ a: { type: "money" } }),
    "/properties/a/type must be one, or a list without repetitions, of null, boolean, string, integer, number, array, object",
  ],
  [
    "the same type twice",
    props({ a: { type: ["null", "null"] } }),
    "/properties/a/type must be one, or a list without repetitions, of null, boolean, string, integer, number, array, object",
  ],
  [
    "objects as values",
    props({ a: { enum: [{}] } }),
    "/properties/a/enum must be a list of 1 to 1000 texts, numbers, booleans or null",
  ],
  [
    "no values",
    props({ a: { enum: [] } }),
    "/properties/a/enum must be a list of 1 to 1000 texts, numbers, booleans or null",
  ],
  [
    "a value that is not of the type",
    props({ a: { type: "string", enum: ["a", 1] } }),
    "/properties/a/enum lists a value that type does not take",
  ],
  ["a bound that is none", props({ a: { minimum: "0" } }), "/properties/a/minimum must be a number"],
  ["a length below nothing", props({ a: { minLength: -1 } }), "/properties/a/minLength must be a whole number from 0"],
  [
    "bounds the wrong way round",
    props({ a: { minimum: 2, maximum: 1 } }),
    "/properties/a/maximum is less than minimum",
  ],
  [
    "something required that is not described",
    props({}, { required: ["a"] }),
    '/required "a" is not described in properties',
  ],
  ["a property that is no schema", props({ a: true }), "/properties must name schemas"],
  [
    "a schema in a schema without end",
    props({ a: nested(20) }),
    `/properties/a${"/items".repeat(15)} nests deeper than 16`,
  ],
  ["more properties than anyone has", props(wide(1_001)), " describes more than 1000 properties"],
  ["more than fits", props({ a: { description: "x".repeat(70_000) } }), " is larger than 65536 bytes"],
])("%s is named", (_, schema, fault) => {
  expect(findSchemaFaults(schema).map(({ path, reason }) => `${path} ${reason}`)).toEqual([fault]);
});

test("every fault is named at once, and no more than fifty", () => {
  expect(findSchemaFaults(props({ a: { type: "x" }, b: { minimum: null } }))).toHaveLength(2);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`p${n}`, { type: "x" }]));
  expect(findSchemaFaults(props(many))).toHaveLength(50);
});

test("what is said about no value is let be", () => {
  const described = {
    title: "Price",
    description: "In rupees",
    default: 0,
    examples: [1],
    deprecated: false,
    $comment: "",
  };
  expect(
    findSchemaFaults({ $schema: "https://json-schema.org/draft/2020-12/schema", ...props({ a: described }) }),
  ).toEqual([]);
});

test("whatever JSON is sent, it is named or it can be made into a check", () => {
  const almost = fc.oneof(
    fc.jsonValue(),
    propsSchema,
    fc.tuple(propsSchema, fc.string(), fc.jsonValue()).map(([schema, name, value]) => ({ ...schema, [name]: value })),
  );
  const said = { named: 0, made: 0 };
  const sound = fc.property(almost, fc.jsonValue(), (schema, value) => {
    const parsed: unknown = JSON.parse(JSON.stringify(schema));
    const isSound = findSchemaFaults(parsed).length === 0;
    said[isSound ? "made" : "named"] += 1;
    if (isSound) compileSchema(parsed as object)(JSON.parse(JSON.stringify(value)));
  });
  fc.assert(sound, { numRuns: 1_000 });
  expect(Math.min(said.named, said.made)).toBeGreaterThan(50);
}, 30_000);
