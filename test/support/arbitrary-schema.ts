import * as fc from "fast-check";

import {
  ANYTHING,
  type PropsSchema,
  type Scalar,
  type TypeName,
  typeOf,
  typesOf,
  type ValueSchema,
  valuesOf,
} from "../../core/event-schema/schema.ts";

/** Few names, lengths and numbers, so that two schemas drawn apart have to do with each other. */
const NAMES = ["a", "b", "c", "constructor"];
const scalar = fc.constantFrom<Scalar>("", "x", "xyz", "ключ", "\u{1F600}", 0, 1, 2, -1, 1.5, true, false, null);
const length = fc.nat(3);
const number = fc.constantFrom(-1.5, -1, 0, 0.5, 1, 2, 2.5, 1e300);

type Draw = { schema: ValueSchema };
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
const seldom = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });
const typeName = fc.constantFrom<TypeName>("null", "boolean", "string", "integer", "number", "array", "object");
const oneType: fc.Arbitrary<TypeName | TypeName[]> = typeName;
const types = fc.oneof(
  { weight: 3, arbitrary: oneType },
  { weight: 1, arbitrary: fc.uniqueArray(typeName, { minLength: 1, maxLength: 3 }) },
);

const OF_TEXT = {
  minLength: maybe(length),
  maxLength: maybe(length),
  format: fc.option(fc.constantFrom("uuid" as const, "date" as const), { nil: undefined, freq: 1 }),
};
const OF_NUMBERS = {
  minimum: maybe(number),
  exclusiveMinimum: seldom(number),
  maximum: maybe(number),
  exclusiveMaximum: seldom(number),
};
const few = (inner: fc.Arbitrary<ValueSchema>) => fc.dictionary(fc.constantFrom(...NAMES), inner, { maxKeys: 3 });
const ofLists = (inner: fc.Arbitrary<ValueSchema>) => ({
  items: fc.option(inner, { nil: undefined, freq: 3, depthSize: "small" }),
  minItems: seldom(fc.nat(2)),
  maxItems: seldom(fc.nat(3)),
});
const ofObjects = (inner: fc.Arbitrary<ValueSchema>) => ({
  properties: fc.option(few(inner), { nil: undefined, freq: 3 }),
  required: maybe(fc.subarray(NAMES)),
  additionalProperties: seldom(fc.oneof(fc.boolean(), inner)),
});
const only = <const T extends string>(...names: T[]) => fc.constantFrom(...names);

/** Mostly of one type, with what is said of that; now and then of several, with anything. */
const { schema } = fc.letrec<Draw>((tie) => {
  const inner = tie("schema");
  return {
    schema: fc
      .oneof<{ arbitrary: fc.Arbitrary<ValueSchema>; weight: number }[]>(
        { weight: 2, arbitrary: fc.record({ type: only("string"), ...OF_TEXT }) },
        { weight: 3, arbitrary: fc.record({ type: only("integer", "number"), ...OF_NUMBERS }) },
        { weight: 3, arbitrary: fc.record({ type: only("array"), ...ofLists(inner) }) },
        { weight: 3, arbitrary: fc.record({ type: only("object"), ...ofObjects(inner) }) },
        {
          weight: 1,
          arbitrary: fc.record({ type: maybe(types), enum: fc.array(scalar, { minLength: 1, maxLength: 4 }) }),
        },
        {
          weight: 3,
          arbitrary: fc.record({
            type: maybe(types),
            ...OF_TEXT,
            ...OF_NUMBERS,
            ...ofLists(inner),
            ...ofObjects(inner),
          }),
        },
      )
      .map(tidy),
  };
});

/** What `findSchemaFaults` would take: required names are described, listed values are of the type, nothing is undefined. */
function tidy(drawn: ValueSchema): ValueSchema {
  const { required, properties = {}, enum: values, ...rest } = drawn;
  const names = required?.filter((name) => Object.hasOwn(properties, name)) ?? [];
  const listed = values?.filter((value) => typesOf(drawn).has(typeOf(value))) ?? [];
  const kept = Object.entries({
    ...rest,
    properties: drawn.properties,
    required: names.length > 0 ? names : undefined,
    enum: listed.length > 0 ? listed : undefined,
  });
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined));
}

export const anySchema: fc.Arbitrary<ValueSchema> = schema;
export const propsSchema: fc.Arbitrary<PropsSchema> = schema.map((drawn) => {
  const { enum: _, const: __, ...rest } = drawn;
  return { ...rest, type: "object" };
});

/** The schema with something changed somewhere: what people do to a schema. */
export function mutate(schema: ValueSchema, other: ValueSchema, seed: readonly number[]): ValueSchema {
  const [kind = 0, ...rest] = seed;
  const inner = schema.properties && Object.keys(schema.properties).length > 0 && kind % 3 === 0;
  if (inner && rest.length > 0) {
    const names = Object.keys(schema.properties ?? {});
    const name = names[(rest[0] ?? 0) % names.length] ?? "";
    const properties = { ...schema.properties, [name]: mutate(schema.properties?.[name] ?? {}, other, rest) };
    return { ...schema, properties };
  }
  if (schema.items && kind % 3 === 1 && rest.length > 0) return { ...schema, items: mutate(schema.items, other, rest) };
  const keywords = [...new Set([...Object.keys(schema), ...Object.keys(other)])].filter(
    (name) => name !== "type" || kind % 2,
  );
  const keyword = keywords[(rest.at(-1) ?? kind) % Math.max(keywords.length, 1)] ?? "type";
  const taken = Object.entries({ ...schema, [keyword]: (other as Record<string, unknown>)[keyword] });
  return tidy(Object.fromEntries(taken.filter(([, value]) => value !== undefined)));
}

/**
 * A value that was probably written by the schema: near its bounds, with properties that it does not name only where it says
 * explicitly that there are such. Not surely: whoever asks checks.
 */
export function writtenBy(schema: ValueSchema, pick: (below: number) => number, depth = 0): unknown {
  const values = valuesOf(schema);
  if (values !== undefined) return values.length === 0 ? null : values[pick(values.length)];
  const types = [...typesOf(schema)].filter((type) => depth < 4 || (type !== "array" && type !== "object"));
  switch (types[pick(types.length)]) {
    case "boolean":
      return pick(2) === 0;
    case "string":
      return writeText(schema, pick);
    case "integer":
      return Math.round(writeNumber(schema, pick));
    case "number":
      return writeNumber(schema, pick) + (pick(2) === 0 ? 0.25 : 0);
    case "array":
      return Array.from({ length: between(schema.minItems ?? 0, schema.maxItems ?? 3, pick) }, () =>
        writtenBy(schema.items ?? ANYTHING, pick, depth + 1),
      );
    case "object":
      return writeObject(schema, pick, depth);
    default:
      return null;
  }
}

function writeText({ minLength = 0, maxLength = 4, format }: ValueSchema, pick: (below: number) => number): string {
  if (format === "date") return "2026-11-21";
  if (format) return "0d5e8f6a-9b1c-4c3d-8e2f-1a2b3c4d5e6f";
  const length = between(minLength, maxLength, pick);
  return Array.from({ length }, () => ["x", "ж", "\u{1F600}"][pick(3)]).join("");
}

function writeNumber(schema: ValueSchema, pick: (below: number) => number): number {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const bounds = [minimum, maximum, exclusiveMinimum, exclusiveMaximum].filter((bound) => bound !== undefined);
  const near = [...bounds, -1, 0, 1, 2, 3][pick(bounds.length + 5)] ?? 0;
  return near + ([0, 0.5, 1, -0.5, -1][pick(5)] ?? 0);
}

function writeObject(schema: ValueSchema, pick: (below: number) => number, depth: number): Record<string, unknown> {
  const written: [string, unknown][] = [];
  const { properties = {}, required = [], additionalProperties: rest = false } = schema;
  for (const [name, inner] of Object.entries(properties)) {
    if (required.includes(name) || pick(3) > 0) written.push([name, writtenBy(inner, pick, depth + 1)]);
  }
  if (rest !== false) {
    for (const name of ["a", "b", "d"]) {
      if (Object.hasOwn(properties, name) || pick(2) === 0) continue;
      written.push([name, writtenBy(rest === true ? ANYTHING : rest, pick, depth + 1)]);
    }
  }
  return Object.fromEntries(written);
}

function between(least: number, most: number, pick: (below: number) => number): number {
  return least + pick(Math.max(0, Math.min(most, least + 3) - least) + 1);
}
