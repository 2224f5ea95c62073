import type { Condition } from "../../core/condition.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";

/**
 * What `allHold` in core/condition.ts says about a JSON column, as SQL for DuckDB; never NULL. A property test holds the two against
 * each other. Texts compare by code point, which differs from JavaScript beyond U+FFFF only.
 */
export function allHoldSql(conditions: readonly Condition[], json: string): string {
  return conditions.length === 0 ? "TRUE" : conditions.map((condition) => holds(condition, json)).join(" AND ");
}

function holds({ path, op, value }: Condition, json: string): string {
  const actual = lookUp(path, json);
  switch (op) {
    case "exists":
      return `(coalesce(json_type(${actual}) <> 'NULL', FALSE) = ${value !== false})`;
    case "eq":
      return equals(actual, value);
    case "ne":
      return `NOT ${equals(actual, value)}`;
    case "in":
      return Array.isArray(value) ? isOneOf(actual, value) : "FALSE";
    case "contains":
      return contains(actual, value);
    default:
      return compares(actual, { gt: ">", gte: ">=", lt: "<", lte: "<=" }[op], value);
  }
}

/** A key may itself hold dots, so the whole path is tried first. */
function lookUp(path: string, json: string): string {
  const steps = path.split(".");
  const paths = steps.length === 1 ? [steps] : [[path], steps];
  const found = paths.map((keys) => `json_extract(${json}, ${quote(pointerTo(keys))})`);
  return found.length === 1 ? found[0]! : `coalesce(${found.join(", ")})`;
}

function pointerTo(keys: readonly string[]): string {
  return keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

const isNumber = (actual: string) => `json_type(${actual}) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')`;
const asNumber = (actual: string) => `TRY_CAST(${actual} AS DOUBLE)`;
const isText = (actual: string) => `json_type(${actual}) = 'VARCHAR'`;
const asText = (actual: string) => `(${actual} ->> '$')`;
const numberOf = (value: number) => `CAST('${value}' AS DOUBLE)`;

function equals(actual: string, value: Condition["value"]): string {
  if (Array.isArray(value)) return "FALSE";
  if (value === null) return `coalesce(json_type(${actual}) = 'NULL', FALSE)`;
  if (typeof value === "boolean") return `coalesce(CAST(${actual} AS VARCHAR) = '${value}', FALSE)`;
  return compares(actual, "=", value);
}

function isOneOf(actual: string, values: readonly (string | number | boolean)[]): string {
  const texts = values.filter((value) => typeof value === "string").map(quote);
  const numbers = values.filter((value) => typeof value === "number").map(numberOf);
  const either = [
    "FALSE",
    ...(texts.length > 0 ? [`coalesce(${isText(actual)} AND ${asText(actual)} IN (${texts.join(", ")}), FALSE)`] : []),
    ...(numbers.length > 0
      ? [`coalesce(${isNumber(actual)} AND ${asNumber(actual)} IN (${numbers.join(", ")}), FALSE)`]
      : []),
    ...values.filter((value) => typeof value === "boolean").map((value) => equals(actual, value)),
  ];
  return `(${either.join(" OR ")})`;
}

function contains(actual: string, value: Condition["value"]): string {
  const elements = `from_json(CASE WHEN json_type(${actual}) = 'ARRAY' THEN ${actual} END, '["JSON"]')`;
  const inList = `coalesce(len(list_filter(${elements}, lambda element: ${equals("element", value)})) > 0, FALSE)`;
  // oxlint-disable-next-line no-base-to-string -- as JavaScript does
  const inText = `coalesce(${isText(actual)} AND contains(${asText(actual)}, ${quote(String(value))}), FALSE)`;
  return `(${inList} OR ${inText})`;
}

/** Numbers with numbers, texts with texts; anything else is false. */
function compares(actual: string, operator: string, value: Condition["value"]): string {
  if (typeof value === "number") {
    return `coalesce(${isNumber(actual)} AND ${asNumber(actual)} ${operator} ${numberOf(value)}, FALSE)`;
  }
  if (typeof value !== "string") return "FALSE";
  return `coalesce(${isText(actual)} AND ${asText(actual)} ${operator} ${quote(value)}, FALSE)`;
}
