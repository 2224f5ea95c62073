import { z } from "zod";

/**
 * A question about a JSON object: `{ path: "cart.value", op: "gte", value: 1000 }`. All conditions of a list must hold.
 * A path that leads nowhere answers only `exists` (with false) and `ne`.
 */
export interface Condition {
  path: string;
  op: "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "in" | "contains" | "exists";
  value: string | number | boolean | null | (string | number | boolean)[];
}

let schema: ReturnType<typeof buildSchema> | undefined;

/** A function, so that what is bundled for workflows never runs zod; always the same, so that it is described once. */
export const conditionSchema = () => (schema ??= buildSchema());

const buildSchema = (scalar = z.union([z.string(), z.number(), z.boolean()])) =>
  z
    .strictObject({
      path: z.string().min(1).max(256),
      op: z.enum(["eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "exists"]).default("eq"),
      value: z.union([scalar, z.null(), z.array(scalar).max(1000)]).default(true),
    })
    .meta({ id: "Condition" });

function holds(condition: Condition, facts: Readonly<Record<string, unknown>>): boolean {
  const actual = lookUp(facts, condition.path);
  const { op, value } = condition;
  switch (op) {
    case "exists":
      return (actual !== undefined && actual !== null) === (value !== false);
    case "eq":
      return actual === value;
    case "ne":
      return actual !== value;
    case "in":
      return Array.isArray(value) && value.includes(actual as string);
    case "contains":
      return Array.isArray(actual)
        ? actual.includes(value)
        : typeof actual === "string" && actual.includes(String(value));
    default:
      return compares(op, actual, value);
  }
}

export function allHold(conditions: readonly Condition[], facts: Readonly<Record<string, unknown>>): boolean {
  return conditions.every((condition) => holds(condition, facts));
}

/** Numbers with numbers, strings (ISO times among them) with strings; anything else compares as false. */
function compares(op: "gt" | "gte" | "lt" | "lte", actual: unknown, value: Condition["value"]): boolean {
  const comparable =
    (typeof actual === "number" && typeof value === "number") ||
    (typeof actual === "string" && typeof value === "string");
  if (!comparable) return false;
  if (op === "gt") return actual > value;
  if (op === "gte") return actual >= value;
  if (op === "lt") return actual < value;
  return actual <= value;
}

/** What a path leads to; undefined where it leads nowhere. */
export function lookUp(facts: Readonly<Record<string, unknown>>, path: string): unknown {
  // A key may itself hold dots, so the whole path is tried first.
  if (Object.hasOwn(facts, path)) return facts[path];
  let at: unknown = facts;
  for (const key of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}
