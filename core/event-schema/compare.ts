import { jsonPointer } from "../json-faults.ts";
import { compileSchema } from "./compile.ts";
import { ANYTHING, propertyOf, type TypeName, typesOf, type ValueSchema, valuesOf } from "./schema.ts";

/** One thing that the writer may write and the reader does not take: where in `props`, and what. */
export interface Break {
  /** JSON pointer; `*` stands for each element, and each property that is not named. */
  path: string;
  /** Of the reader: "does not take null". */
  reason: string;
}

/**
 * Why not everything that is written by one schema can be read by another; empty where all of it can.
 *
 * What is **written** by a schema is what it takes, without properties that it does not name, unless `additionalProperties` says
 * explicitly (`true`, or a schema) that there are such. So a property may be added to a schema that has never spoken of it.
 * The answer is sound, not complete: of two schemas that say the same in very different ways it may name a break that is none.
 */
export function findBreaks(writer: ValueSchema, reader: ValueSchema, path: readonly string[] = []): Break[] {
  const at = jsonPointer(path);
  const written = finiteValues(writer);
  if (written !== undefined) return compareValues(written, writer, reader, at);
  const breaks: Break[] = [];
  const [types, taken] = [typesOf(writer), typesOf(reader)];
  for (const type of types) {
    if (taken.has(type) || (type === "integer" && types.has("number") && !taken.has("number"))) continue;
    breaks.push({ path: at, reason: `does not take ${describeType(type, taken)}` });
  }
  if (valuesOf(reader) !== undefined) return [...breaks, { path: at, reason: "takes only some values" }];
  const both = (type: TypeName) => types.has(type) && taken.has(type);
  if (both("string")) breaks.push(...compareTexts(writer, reader, at));
  if (both("integer"))
    breaks.push(...compareNumbers(writer, reader, at, !(types.has("number") && taken.has("number"))));
  if (both("array")) breaks.push(...compareLists(writer, reader, path));
  if (both("object")) breaks.push(...compareObjects(writer, reader, path));
  return breaks;
}

/** All that can be written, where that is a handful of values. */
function finiteValues(schema: ValueSchema): readonly unknown[] | undefined {
  const values = valuesOf(schema);
  if (values !== undefined) return values;
  const types = typesOf(schema);
  const isFinite = [...types].every((type) => type === "null" || type === "boolean");
  return isFinite ? [...(types.has("null") ? [null] : []), ...(types.has("boolean") ? [true, false] : [])] : undefined;
}

function compareValues(values: readonly unknown[], writer: ValueSchema, reader: ValueSchema, path: string): Break[] {
  const [canWrite, canRead] = [compileSchema(writer), compileSchema(reader)];
  const lost = values.filter((value) => canWrite(value).length === 0 && canRead(value).length > 0);
  return lost.map((value) => ({ path, reason: `does not take ${JSON.stringify(value)}` }));
}

function compareTexts(writer: ValueSchema, reader: ValueSchema, path: string): Break[] {
  const breaks: Break[] = [];
  if ((reader.minLength ?? 0) > (writer.minLength ?? 0))
    breaks.push({ path, reason: `does not take texts shorter than ${reader.minLength}` });
  if ((reader.maxLength ?? Infinity) < (writer.maxLength ?? Infinity))
    breaks.push({ path, reason: `does not take texts longer than ${reader.maxLength}` });
  if (reader.format !== undefined && reader.format !== writer.format)
    breaks.push({ path, reason: `takes only texts of the format ${reader.format}` });
  return breaks;
}

interface Bound {
  value: number;
  /** The value itself is outside. */
  isOpen: boolean;
}

function compareNumbers(writer: ValueSchema, reader: ValueSchema, path: string, isWhole: boolean): Break[] {
  const breaks: Break[] = [];
  const [least, leastTaken] = [writer, reader].map((schema) => lowerBound(schema, isWhole)) as [Bound, Bound];
  const [most, mostTaken] = [writer, reader].map((schema) => upperBound(schema, isWhole)) as [Bound, Bound];
  if (isBeyond(leastTaken, least, 1))
    breaks.push({ path, reason: `does not take numbers ${describe(leastTaken, "less", "from")}` });
  if (isBeyond(mostTaken, most, -1))
    breaks.push({ path, reason: `does not take numbers ${describe(mostTaken, "more", "up to")}` });
  return breaks;
}

/** Whether the taken bound cuts off something that the written one has inside; `sign` 1 for lower bounds, -1 for upper. */
function isBeyond(taken: Bound, written: Bound, sign: 1 | -1): boolean {
  const difference = sign * (taken.value - written.value);
  return taken.value === written.value ? taken.isOpen && !written.isOpen : difference > 0;
}

function lowerBound({ minimum = -Infinity, exclusiveMinimum = -Infinity }: ValueSchema, isWhole: boolean): Bound {
  const isOpen = exclusiveMinimum >= minimum && exclusiveMinimum !== -Infinity;
  const value = Math.max(minimum, exclusiveMinimum);
  if (!isWhole || !Number.isFinite(value) || Math.abs(value) > MAX_EXACT) return { value, isOpen };
  return { value: isOpen ? Math.floor(value) + 1 : Math.ceil(value), isOpen: false };
}

function upperBound({ maximum = Infinity, exclusiveMaximum = Infinity }: ValueSchema, isWhole: boolean): Bound {
  const { value, isOpen } = lowerBound({ minimum: -maximum, exclusiveMinimum: -exclusiveMaximum }, isWhole);
  return { value: -value, isOpen };
}

/** Beyond it the next whole number is no double. */
const MAX_EXACT = 2 ** 53 - 2;

function compareLists(writer: ValueSchema, reader: ValueSchema, path: readonly string[]): Break[] {
  const breaks: Break[] = [];
  const at = jsonPointer(path);
  if ((reader.minItems ?? 0) > (writer.minItems ?? 0))
    breaks.push({ path: at, reason: `does not take lists of fewer than ${reader.minItems}` });
  if ((reader.maxItems ?? Infinity) < (writer.maxItems ?? Infinity))
    breaks.push({ path: at, reason: `does not take lists of more than ${reader.maxItems}` });
  if (reader.items !== undefined && writer.maxItems !== 0)
    breaks.push(...findBreaks(writer.items ?? ANYTHING, reader.items, [...path, "*"]));
  return breaks;
}

function compareObjects(writer: ValueSchema, reader: ValueSchema, path: readonly string[]): Break[] {
  const breaks: Break[] = [];
  const isAlwaysWritten = new Set(writer.required);
  for (const name of reader.required ?? []) {
    if (!isAlwaysWritten.has(name)) breaks.push({ path: jsonPointer([...path, name]), reason: "requires it" });
  }
  for (const [name, inner] of Object.entries(writer.properties ?? {})) {
    const there = propertyOf(reader, name) ?? restOf(reader);
    if (there) breaks.push(...findBreaks(inner, there, [...path, name]));
    else
      breaks.push({
        path: jsonPointer([...path, name]),
        reason: "does not describe it, and takes nothing that it does not describe",
      });
  }
  const rest = writtenRestOf(writer);
  if (rest === null) return breaks;
  for (const [name, inner] of Object.entries(reader.properties ?? {})) {
    if (propertyOf(writer, name) === undefined) breaks.push(...findBreaks(rest, inner, [...path, name]));
  }
  const there = restOf(reader);
  if (there) breaks.push(...findBreaks(rest, there, [...path, "*"]));
  else breaks.push({ path: jsonPointer([...path, "*"]), reason: "does not take properties that it does not describe" });
  return breaks;
}

/** What a reader takes under names that it does not describe; null where nothing. */
function restOf({ additionalProperties = true }: ValueSchema): ValueSchema | null {
  if (typeof additionalProperties !== "boolean") return additionalProperties;
  return additionalProperties ? ANYTHING : null;
}

/** What a writer writes under names that it does not describe; null where nothing. */
function writtenRestOf({ additionalProperties = false }: ValueSchema): ValueSchema | null {
  return restOf({ additionalProperties });
}

function describeType(type: TypeName, taken: ReadonlySet<TypeName>): string {
  if (type === "null") return type;
  if (type === "integer") return "whole numbers";
  return type === "number" && taken.has("integer") ? "fractions" : `${type}s`;
}

function describe({ value, isOpen }: Bound, beyond: string, from: string): string {
  return isOpen ? `${from === "from" ? "up to" : "from"} ${value}` : `${beyond} than ${value}`;
}
