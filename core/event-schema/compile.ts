import { jsonPointer } from "../json-faults.ts";
import { parseTimestamp } from "../timestamp.ts";
import { type Format, type TypeName, typeOf, typesOf, type ValueSchema, valuesOf } from "./schema.ts";

/**
 * One way in which a value does not fit. Both come from the schema, never from the value: so there are only so many of them, and none
 * tells what an event holds. Elements of lists and properties that the schema does not name are `*` in the path.
 */
export interface Misfit {
  readonly path: string;
  readonly reason: string;
}

/** How a value does not fit, each way once; empty where it does. At most ten. */
export type Check = (value: unknown) => Misfit[];

const MAX_MISFITS = 10;

type Visit = (value: unknown, found: Misfit[]) => void;
type Rule<T> = (value: T, found: Misfit[]) => void;

/** A schema made into closures: no text is made into code, and none of a client's own expressions runs. */
export function compileSchema(schema: ValueSchema, path: readonly string[] = []): Check {
  const visit = compile(schema, path);
  return (value) => {
    const found: Misfit[] = [];
    visit(value, found);
    return found;
  };
}

function compile(schema: ValueSchema, path: readonly string[]): Visit {
  const types = typesOf(schema);
  const at = jsonPointer(path);
  const wrongType = Object.fromEntries(
    ["null", "boolean", "string", "integer", "number", "array", "object"].map((name) => [
      name,
      { path: at, reason: `is ${name === "integer" ? "number" : name}, not ${listTypes(schema)}` },
    ]),
  ) as Record<TypeName, Misfit>;
  const values = valuesOf(schema);
  const allowed = values && new Set<unknown>(values);
  const notListed = { path: at, reason: "is none of the listed values" };
  const texts = compileText(schema, at);
  const numbers = compileNumber(schema, at);
  const lists = compileList(schema, path);
  const objects = compileObject(schema, path);
  return (value, found) => {
    const type = typeOf(value);
    if (!types.has(type)) return note(found, wrongType[type]);
    if (allowed && !allowed.has(value)) return note(found, notListed);
    if (type === "string") apply(texts, value as string, found);
    else if (type === "integer" || type === "number") apply(numbers, value as number, found);
    else if (type === "array") lists(value as unknown[], found);
    else if (type === "object") objects(value as Record<string, unknown>, found);
  };
}

function apply<T>(rules: readonly Rule<T>[], value: T, found: Misfit[]): void {
  for (const rule of rules) rule(value, found);
}

/** The same misfit of many elements is one. */
function note(found: Misfit[], misfit: Misfit): void {
  if (found.length < MAX_MISFITS && !found.includes(misfit)) found.push(misfit);
}

function rule<T>(path: string, reason: string, isWrong: (value: T) => boolean): Rule<T> {
  const misfit = { path, reason };
  return (value, found) => {
    if (isWrong(value)) note(found, misfit);
  };
}

function compileText({ minLength, maxLength, format }: ValueSchema, at: string): Rule<string>[] {
  const rules: Rule<string>[] = [];
  if (minLength) rules.push(rule(at, `is shorter than ${minLength}`, (text) => !hasCharacters(text, minLength)));
  if (maxLength !== undefined)
    rules.push(rule(at, `is longer than ${maxLength}`, (text) => hasCharacters(text, maxLength + 1)));
  if (format) rules.push(rule(at, `is no ${format}`, (text) => !isOfFormat(text, format)));
  return rules;
}

/** Whether a text has as many code points. */
function hasCharacters(text: string, count: number): boolean {
  if (text.length < count) return false;
  if (text.length >= count * 2) return true;
  let found = 0;
  for (const _ of text) if (++found >= count) return true;
  return count === 0;
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

function isOfFormat(text: string, format: Format): boolean {
  if (format === "uuid") return UUID.test(text);
  if (format === "date-time") return !Number.isNaN(parseTimestamp(text));
  return text.length === 10 && !Number.isNaN(parseTimestamp(`${text}T00:00:00Z`));
}

function compileNumber(schema: ValueSchema, at: string): Rule<number>[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const rules: Rule<number>[] = [];
  if (minimum !== undefined) rules.push(rule(at, `is less than ${minimum}`, (n) => n < minimum));
  if (exclusiveMinimum !== undefined)
    rules.push(rule(at, `is not more than ${exclusiveMinimum}`, (n) => n <= exclusiveMinimum));
  if (maximum !== undefined) rules.push(rule(at, `is more than ${maximum}`, (n) => n > maximum));
  if (exclusiveMaximum !== undefined)
    rules.push(rule(at, `is not less than ${exclusiveMaximum}`, (n) => n >= exclusiveMaximum));
  return rules;
}

function compileList(
  { items, minItems = 0, maxItems = Infinity }: ValueSchema,
  path: readonly string[],
): Rule<unknown[]> {
  const at = jsonPointer(path);
  const [few, many] = [`has fewer elements than ${minItems}`, `has more elements than ${maxItems}`];
  const rules = [
    rule<unknown[]>(at, few, (list) => list.length < minItems),
    rule<unknown[]>(at, many, (list) => list.length > maxItems),
  ];
  const visit = items && compile(items, [...path, "*"]);
  return (list, found) => {
    apply(rules, list, found);
    if (visit) for (const element of list) visit(element, found);
  };
}

function compileObject(schema: ValueSchema, path: readonly string[]): Rule<Record<string, unknown>> {
  const { properties = {}, required = [], additionalProperties: rest = true } = schema;
  const visits = new Map(Object.entries(properties).map(([name, inner]) => [name, compile(inner, [...path, name])]));
  const missing = required.map((name) => ({
    name,
    misfit: { path: jsonPointer([...path, name]), reason: "is missing" },
  }));
  const notNamed = { path: jsonPointer([...path, "*"]), reason: "is not described" };
  const visitRest = typeof rest === "boolean" ? null : compile(rest, [...path, "*"]);
  return (value, found) => {
    for (const { name, misfit } of missing) if (!Object.hasOwn(value, name)) note(found, misfit);
    for (const name of Object.keys(value)) {
      const visit = visits.get(name) ?? visitRest;
      if (visit) visit(value[name], found);
      else if (rest === false) note(found, notNamed);
    }
  };
}

function listTypes({ type }: ValueSchema): string {
  return type === undefined || typeof type === "string" ? `${type}` : type.join(" or ");
}
