import type { Fault } from "../errors.ts";
import { isObject } from "../is-object.ts";
import { jsonPointer } from "../json-faults.ts";
import { FORMATS, type PropsSchema, type Scalar, TYPE_NAMES, type TypeName, typeOf, typesOf } from "./schema.ts";

const DIALECT = "https://json-schema.org/draft/2020-12/schema";
const MAX_SCHEMA_BYTES = 64 * 1024;
/** Levels of schemas in schemas. An event nests 32 deep, itself included. */
const MAX_DEPTH = 16;
const MAX_PROPERTIES = 1_000;
const MAX_VALUES = 1_000;
const MAX_FAULTS = 50;

type Report = (keyword: string, reason: string) => void;
type Json = Readonly<Record<string, unknown>>;

/** Say nothing about values. */
const ANNOTATIONS = new Set(["title", "description", "$comment", "default", "examples", "deprecated"]);

/** What each keyword must be. Those that nest, and those that compare with others, are looked at besides. */
const KEYWORDS: Readonly<Record<string, (value: unknown) => string | null>> = {
  type: (value) => (isTypes(value) ? null : `must be one, or a list without repetitions, of ${TYPE_NAMES.join(", ")}`),
  enum: (value) => (isValues(value) ? null : `must be a list of 1 to ${MAX_VALUES} texts, numbers, booleans or null`),
  const: (value) => (isScalar(value) ? null : "must be a text, a number, a boolean or null"),
  minLength: isCount,
  maxLength: isCount,
  format: (value) => (FORMATS.some((name) => name === value) ? null : `must be one of ${FORMATS.join(", ")}`),
  minimum: isNumber,
  exclusiveMinimum: isNumber,
  maximum: isNumber,
  exclusiveMaximum: isNumber,
  items: (value) => (isObject(value) ? null : "must be a schema"),
  minItems: isCount,
  maxItems: isCount,
  properties: (value) => (isObject(value) && Object.values(value).every(isObject) ? null : "must name schemas"),
  required: (value) => (isNames(value) ? null : "must be a list of names without repetitions"),
  additionalProperties: (value) =>
    typeof value === "boolean" || isObject(value) ? null : "must be true, false or a schema",
};

/** What someone sent as the schema of `props`: all that is wrong with it, by JSON pointer; none, and it is one. */
export function findSchemaFaults(value: unknown): Fault[] {
  const faults: Fault[] = [];
  if (!isObject(value)) return [{ path: "", reason: "must be a JSON Schema: an object" }];
  if (value["$schema"] !== undefined && value["$schema"] !== DIALECT) {
    faults.push({ path: "/$schema", reason: `must be ${DIALECT}, or left out` });
  }
  if (value["type"] !== "object") faults.push({ path: "/type", reason: 'must be "object": props are one' });
  const { $schema: _, ...schema } = value;
  const count = { properties: 0 };
  visit(schema, [], { depth: 1, count, faults });
  if (faults.length === 0 && count.properties > MAX_PROPERTIES) {
    faults.push({ path: "", reason: `describes more than ${MAX_PROPERTIES} properties` });
  }
  if (faults.length === 0 && Buffer.byteLength(JSON.stringify(value)) > MAX_SCHEMA_BYTES) {
    faults.push({ path: "", reason: `is larger than ${MAX_SCHEMA_BYTES} bytes` });
  }
  return faults.slice(0, MAX_FAULTS);
}

/** Throws nothing: call it with what `findSchemaFaults` has nothing against. */
export function asPropsSchema(value: unknown): PropsSchema {
  return value as PropsSchema;
}

interface Tally {
  depth: number;
  count: { properties: number };
  faults: Fault[];
}

function visit(schema: Json, path: readonly string[], tally: Tally): void {
  const { depth, count, faults } = tally;
  if (faults.length >= MAX_FAULTS) return;
  if (depth > MAX_DEPTH) {
    faults.push({ path: jsonPointer(path), reason: `nests deeper than ${MAX_DEPTH}` });
    return;
  }
  const report: Report = (keyword, reason) => faults.push({ path: jsonPointer([...path, keyword]), reason });
  const before = faults.length;
  checkKeywords(schema, report);
  if (faults.length > before) return;
  compareKeywords(schema, report);
  const inside = { ...tally, depth: depth + 1 };
  for (const keyword of ["items", "additionalProperties"]) {
    if (isObject(schema[keyword])) visit(schema[keyword], [...path, keyword], inside);
  }
  for (const [name, inner] of Object.entries((schema["properties"] ?? {}) as Record<string, Json>)) {
    count.properties += 1;
    visit(inner, [...path, "properties", name], inside);
  }
}

function checkKeywords(schema: Json, report: Report): void {
  for (const [keyword, given] of Object.entries(schema)) {
    if (ANNOTATIONS.has(keyword)) continue;
    const check = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
    const reason = check === undefined ? "is no keyword that is taken here" : check(given);
    if (reason !== null) report(keyword, reason);
  }
}

/** What contradicts itself takes nothing, which nobody means. */
function compareKeywords(schema: Json, report: Report): void {
  for (const [least, most] of [
    ["minLength", "maxLength"],
    ["minItems", "maxItems"],
    ["minimum", "maximum"],
  ] as const) {
    if (Number(schema[least] ?? -Infinity) > Number(schema[most] ?? Infinity)) report(most, `is less than ${least}`);
  }
  const types = typesOf(schema);
  const listed = [...((schema["enum"] as Scalar[] | undefined) ?? []), ...("const" in schema ? [schema["const"]] : [])];
  for (const value of listed) {
    if (!types.has(typeOf(value)))
      report("const" in schema ? "const" : "enum", "lists a value that type does not take");
  }
  const properties = (schema["properties"] ?? {}) as Json;
  for (const name of (schema["required"] ?? []) as string[]) {
    if (!Object.hasOwn(properties, name)) report("required", `"${name}" is not described in properties`);
  }
}

function isTypes(value: unknown): boolean {
  const names = Array.isArray(value) ? (value as unknown[]) : [value];
  return names.length > 0 && isDistinct(names) && names.every((name) => TYPE_NAMES.includes(name as TypeName));
}

function isValues(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_VALUES) return false;
  return value.every(isScalar);
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === "string") && isDistinct(value);
}

function isDistinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ["string", "boolean"].includes(typeof value) || Number.isFinite(value);
}

function isCount(value: unknown): string | null {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? null : "must be a whole number from 0";
}

function isNumber(value: unknown): string | null {
  return Number.isFinite(value) ? null : "must be a number";
}
