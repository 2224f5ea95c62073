import { fillTemplate, LINE, type Source } from "../backfill-mapping.ts";
import { isObject } from "../is-object.ts";
import { createTimeReader } from "./date-format.ts";
import { decimalStyleOf, exactNumber, PLAIN_DECIMALS, readDecimal } from "./decimal-style.ts";

/** One record of a file as the mapping sees it. */
export interface SourceRecord {
  /** From 1; in a Parquet file, the row. */
  line: number;
  /** By column; what JSON or Parquet said it is, else text. */
  fields: Readonly<Record<string, unknown>>;
}

/** A field's value; undefined where the record has none. `fault` says in words, without the value, why it cannot be one. */
export type Read = { value: unknown } | { fault: string };
export type ReadValue = (record: SourceRecord) => Read;

const NONE: Read = { value: undefined };
const TRUE = new Set(["true", "t", "yes", "y", "1"]);
const FALSE = new Set(["false", "f", "no", "n", "0"]);

export function compileValue(source: Source | string | number | boolean): ReadValue {
  if (typeof source !== "object") return () => ({ value: source });
  const find = compileFind(source);
  const convert = compileType(source);
  return (record) => {
    const found = find(record);
    if (found !== undefined) return convert(found);
    return source.required ? { fault: "is empty" } : NONE;
  };
}

/** What lies there: undefined for nothing, blank text too. */
function compileFind(source: Source): (record: SourceRecord) => unknown {
  if (source.template !== undefined) return compileTemplate(source.template);
  const { column, pointer } = source;
  if (column !== undefined) return ({ fields }) => present(own(fields, column));
  const keys = (pointer ?? "")
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return ({ fields }) => present(keys.reduce<unknown>((at, key) => own(at, key), fields));
}

function compileTemplate(template: string): (record: SourceRecord) => unknown {
  return ({ line, fields }) => {
    let isWhole = true;
    const text = fillTemplate(template, (name) => {
      const found = name === LINE ? line : present(own(fields, name));
      isWhole &&= found !== undefined && typeof found !== "object";
      return String(found).trim();
    });
    return isWhole ? text : undefined;
  };
}

function own(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function present(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  return typeof value === "string" && value.trim() === "" ? undefined : value;
}

function compileType(source: Source): (value: unknown) => Read {
  if (source.type === undefined) return (value) => ({ value: typeof value === "string" ? value.trim() : value });
  if (source.type === "text") return readText;
  if (source.type === "boolean") return readBoolean;
  if (source.type === "json") return readJson;
  if (source.type === "timestamp") return compileTimestamp(source);
  const style = source.locale === undefined ? PLAIN_DECIMALS : (decimalStyleOf(source.locale) ?? PLAIN_DECIMALS);
  const isInteger = source.type === "integer";
  return (value) => {
    if (typeof value === "number")
      return isInteger && !Number.isSafeInteger(value) ? { fault: "not an integer" } : { value };
    const plain = typeof value === "string" ? readDecimal(value, style) : null;
    if (plain === null || (isInteger && /\.0*[1-9]/.test(plain)))
      return { fault: `not ${isInteger ? "an integer" : "a decimal"}` };
    const number = exactNumber(plain);
    return number === null
      ? { fault: "has more digits than a JSON number keeps: give it the type text" }
      : { value: number };
  };
}

function readText(value: unknown): Read {
  return typeof value === "object" ? { fault: "not a text" } : { value: String(value).trim() };
}

function readBoolean(value: unknown): Read {
  if (typeof value === "boolean") return { value };
  const word = String(value).trim().toLowerCase();
  return TRUE.has(word) ? { value: true } : FALSE.has(word) ? { value: false } : { fault: "neither true nor false" };
}

function readJson(value: unknown): Read {
  if (typeof value !== "string") return { value };
  try {
    return { value: JSON.parse(value) as unknown };
  } catch {
    return { fault: "not JSON" };
  }
}

/** ISO 8601 in UTC. */
function compileTimestamp({ format = "iso", time_zone, time }: Source): (value: unknown) => Read {
  const read = createTimeReader(format, time_zone, time);
  return (value) => {
    if (typeof value === "object") return { fault: "not a time" };
    const ms = read(String(value));
    if (typeof ms === "string") return { fault: ms };
    const date = new Date(ms);
    return Number.isNaN(date.getTime()) ? { fault: "not a time" } : { value: date.toISOString() };
  };
}
