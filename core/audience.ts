import { type Expr, parse, type Statement } from "pgsql-ast-parser";

import type { Condition } from "./condition.ts";
import type { Fault } from "./errors.ts";

/**
 * The seeds' `audience_query`, a subset of SQL that is read, never run:
 *
 *     select user_id from segments where <column> <op> <literal> [and …]
 *
 * with `=`, `<>`, `<`, `<=`, `>`, `>=`, `in (…)`, `is null`, `is not null`. A column is
 *
 * - an event, compared with `true` or `false`: `add_to_cart`, or its past tense `added_to_cart`. It means "has done so since
 *   their last purchase", and for `purchase` "has bought since the event that lets them enter" (`journey/facts.ts`);
 * - otherwise an attribute of the person: `city = 'Pune'`. An attribute that is not there counts as not true.
 *
 * It is evaluated when somebody is about to enter.
 */
export type Audience = { ok: true; conditions: Condition[] } | { ok: false; faults: Fault[] };

/** Event types that columns may name even where the campaign itself does not. */
const COMMON_EVENTS = [
  "add_to_cart",
  "remove_from_cart",
  "cart_view",
  "checkout_start",
  "purchase",
  "product_view",
  "page_view",
  "search",
  "sign_up",
  "login",
  "identify",
] as const;

const MAX_LENGTH = 4000;
const OPERATORS: Readonly<Record<string, Condition["op"]>> = {
  "=": "eq",
  "!=": "ne",
  "<": "lt",
  "<=": "lte",
  ">": "gt",
  ">=": "gte",
};
/** `5 < age` says `age > 5`. */
const MIRRORED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

class Refusal extends Error {}

/** `events`: the types that the campaign itself speaks of. Faults say where in the text, counted from 1, and why. */
export function compileAudience(sql: string, events: readonly string[] = []): Audience {
  try {
    if (sql.length > MAX_LENGTH) throw new Refusal(`is longer than ${MAX_LENGTH} characters`);
    const columns = eventColumns([...COMMON_EVENTS, ...events]);
    const where = readSelect(readStatement(sql), sql);
    return { ok: true, conditions: where === undefined ? [] : readConditions(where, columns) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, faults: [{ path: "/audience_query", reason: error.message }] };
    throw error;
  }
}

function readStatement(sql: string): Statement {
  let statements: Statement[];
  try {
    statements = parse(sql, { locationTracking: true });
  } catch (error) {
    const place = /at line (\d+) col (\d+)/.exec(String(error));
    throw new Refusal(place ? `at line ${place[1]}, column ${place[2]}: is not SQL` : "is not SQL", { cause: error });
  }
  if (statements.length !== 1) throw new Refusal("must be one select");
  return statements[0]!;
}

function readSelect(statement: Statement, sql: string): Expr | undefined {
  if (statement.type !== "select") refuse(statement, `only select is understood, not "${statement.type}"`);
  const { type: _type, columns, from, where, _location, ...rest } = statement;
  const more = Object.entries(rest).filter(([, part]) => part !== undefined && part !== null);
  if (more.length > 0) refuse(statement, `"${more[0]![0]}" is not understood here`);
  const column = columns?.length === 1 ? columns[0] : undefined;
  if (column?.expr.type !== "ref" || column.expr.name !== "user_id") refuse(column ?? statement, "must select user_id");
  const table = from?.length === 1 ? from[0] : undefined;
  if (table?.type !== "table" || table.name.name !== "segments" || table.name.schema || table.join) {
    refuse(table ?? statement, "must select from segments");
  }
  if (!where && /\bwhere\b/i.test(sql)) refuse(statement, "has a where that is not understood");
  return where ?? undefined;
}

function readConditions(expression: Expr, columns: EventColumns): Condition[] {
  if (expression.type === "binary" && expression.op === "AND") {
    return [...readConditions(expression.left, columns), ...readConditions(expression.right, columns)];
  }
  if (expression.type === "unary" && (expression.op === "IS NULL" || expression.op === "IS NOT NULL")) {
    return [{ path: attribute(expression.operand), op: "exists", value: expression.op === "IS NOT NULL" }];
  }
  if (expression.type !== "binary")
    refuse(expression, `${expression.type} is not understood; compare a column with a literal`);
  return [readComparison(expression, columns)];
}

function readComparison(expression: Extract<Expr, { type: "binary" }>, columns: EventColumns): Condition {
  const { left, right, op } = expression;
  if (op === "IN" && right.type === "list") {
    return { path: attribute(left), op: "in", value: right.expressions.map((item) => literal(item)) };
  }
  if (OPERATORS[op] === undefined) refuse(expression, `"${op}" is not understood; conditions are joined by "and"`);
  const swapped = left.type !== "ref" && right.type === "ref";
  const [column, value] = swapped ? [right, literal(left)] : [left, literal(right)];
  const operator = OPERATORS[(swapped && MIRRORED[op]) || op]!;
  const event = column.type === "ref" ? columns.get(column.name) : undefined;
  if (event !== undefined) return eventCondition(expression, event, operator, value);
  const path = attribute(column);
  // "vip = false" means everyone who is not a VIP, also those of whom nobody ever said so.
  return operator === "eq" && value === false ? { path, op: "ne", value: true } : { path, op: operator, value };
}

function eventCondition(at: Expr, event: string, operator: Condition["op"], value: unknown): Condition {
  if (typeof value !== "boolean" || (operator !== "eq" && operator !== "ne")) {
    refuse(at, `"${event}" is an event: compare it with true or false`);
  }
  const wanted = (operator === "eq") === value;
  return { path: `done.${event}`, op: wanted ? "eq" : "ne", value: true };
}

function attribute(expression: Expr): string {
  if (expression.type !== "ref") refuse(expression, "a column is expected here");
  if (expression.name === "*" || expression.table?.schema) refuse(expression, "a column of segments is expected here");
  if (expression.table && !["segments", "attributes"].includes(expression.table.name)) {
    refuse(expression, `"${expression.table.name}" is not segments`);
  }
  return `attributes.${expression.name}`;
}

function literal(expression: Expr): string | number | boolean {
  if (expression.type === "string" || expression.type === "boolean") return expression.value;
  if (expression.type === "integer" || expression.type === "numeric") return expression.value;
  refuse(expression, `a literal is expected here, not ${expression.type}`);
}

function refuse(at: { _location?: { start: number } | null | undefined }, reason: string): never {
  const { _location: place } = at;
  throw new Refusal(place ? `at character ${place.start + 1}: ${reason}` : reason);
}

type EventColumns = Map<string, string>;

function eventColumns(events: readonly string[]): EventColumns {
  return new Map(
    events.flatMap((event) => [event, ...pastForms(event)].map((form): [string, string] => [form, event])),
  );
}

/** `add_to_cart` → `added_to_cart`, `product_view` → `product_viewed` and `viewed_product`. */
function pastForms(event: string): string[] {
  const words = event.split("_");
  const [first, last] = [words[0]!, words.at(-1)!];
  const forms = [
    [past(first), ...words.slice(1)],
    [...words.slice(0, -1), past(last)],
  ];
  if (words.length === 2) forms.push([past(last), first]);
  return forms.map((form) => form.join("_"));
}

function past(verb: string): string {
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ied`;
  return verb.endsWith("e") ? `${verb}d` : `${verb}ed`;
}
