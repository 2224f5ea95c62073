import { z } from "zod";

import { isObject } from "./is-object.ts";

export type ColumnType = "text" | "integer" | "number" | "boolean" | "date" | "time" | "json";

export interface Column {
  name: string;
  type: ColumnType;
}

/** A report as rows of plain values. */
export interface ReportTable {
  columns: readonly Column[];
  /** A row has a value for each column, in their order; what is JSON is text already. */
  rows(body: unknown): Iterable<readonly Value[]>;
}

export type Value = string | number | boolean | null;

/** What `z.toJSONSchema` makes, as far as tables care. */
export interface JsonSchema {
  type?: string | string[];
  format?: string;
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  [other: string]: unknown;
}

export interface ResolvedSchema extends JsonSchema {
  type?: string;
}

/** What is read of one object: a value, or the rows of a list within it. */
interface Node {
  columns: Column[];
  read(value: unknown): Value[][];
}

/**
 * The table that a report is: its one list of objects, each a row. What is nested in them becomes columns, `outer_inner`; a list
 * of objects within multiplies the rows; anything else is JSON. Undefined where there is no such list, or more than one.
 */
export function tableOfReport(schema: z.ZodType): ReportTable | undefined {
  const report = toJsonSchema(schema);
  const { properties = {} } = resolveSchema(report, report);
  const lists = Object.entries(properties).filter(([, property]) => rowSchema(property, report));
  const [list] = lists;
  if (list === undefined || lists.length > 1) return undefined;
  const [name, property] = list;
  const { columns, read } = readObject(rowSchema(property, report)!, report, "");
  return {
    columns,
    *rows(body) {
      const items = isObject(body) ? body[name] : undefined;
      for (const item of Array.isArray(items) ? items : []) yield* read(item);
    },
  };
}

/** As it is answered, not as it is asked. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "output", unrepresentable: "any" }) as JsonSchema;
}

/** Without references and without `null`. */
export function resolveSchema(schema: JsonSchema, root: JsonSchema): ResolvedSchema {
  if (schema.$ref !== undefined) {
    const found = root.$defs?.[schema.$ref.replace("#/$defs/", "")];
    return found ? resolveSchema(found, root) : {};
  }
  const options = schema.anyOf?.filter((option) => option.type !== "null");
  if (options?.length === 1) return resolveSchema(options[0]!, root);
  const { type, ...others } = schema;
  const types = [type ?? []].flat().filter((one) => one !== "null");
  return types.length === 1 ? { ...others, type: types[0]! } : others;
}

/** Whether it may be `null`. */
export function isNullable({ anyOf, type, $ref }: JsonSchema): boolean {
  if (anyOf) return anyOf.some(isNullable);
  return type === undefined ? $ref === undefined : [type].flat().includes("null");
}

/** Of what a list's rows are; undefined where it is no list of objects. */
function rowSchema(schema: JsonSchema, root: JsonSchema): JsonSchema | undefined {
  const list = resolveSchema(schema, root);
  if (list.type !== "array" || list.items === undefined) return undefined;
  const item = resolveSchema(list.items, root);
  return item.type === "object" && item.properties ? item : undefined;
}

function readObject(schema: JsonSchema, root: JsonSchema, prefix: string): Node {
  const parts = Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    node: readProperty(property, root, `${prefix}${name}`),
  }));
  return {
    columns: parts.flatMap(({ node }) => node.columns),
    read(value) {
      const object = isObject(value) ? value : {};
      return parts.reduce<Value[][]>((rows, { name, node }) => combine(rows, node.read(object[name])), [[]]);
    },
  };
}

function readProperty(property: JsonSchema, root: JsonSchema, name: string): Node {
  const items = rowSchema(property, root);
  if (items) {
    const inner = readObject(items, root, `${name}_`);
    const none = [inner.columns.map(() => null)];
    return {
      columns: inner.columns,
      read: (value) => (Array.isArray(value) && value.length > 0 ? value.flatMap((item) => inner.read(item)) : none),
    };
  }
  const schema = resolveSchema(property, root);
  if (schema.type === "object" && schema.properties) return readObject(schema, root, `${name}_`);
  const type = typeOf(schema);
  const read = (value: unknown): Value => (value === undefined || value === null ? null : toValue(value, type));
  return { columns: [{ name, type }], read: (value) => [[read(value)]] };
}

function combine(rows: Value[][], others: Value[][]): Value[][] {
  return rows.flatMap((row) => others.map((other) => [...row, ...other]));
}

function toValue(value: unknown, type: ColumnType): Value {
  return type === "json" ? JSON.stringify(value) : (value as Value);
}

function typeOf({ type, format }: ResolvedSchema): ColumnType {
  if (type === "string") return format === "date" ? "date" : format === "date-time" ? "time" : "text";
  return type === "integer" || type === "number" || type === "boolean" ? type : "json";
}
