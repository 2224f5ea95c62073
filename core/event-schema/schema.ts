/** What JSON calls a value. `integer` is a number without a fraction, so every integer is a `number` too. */
export const TYPE_NAMES = ["null", "boolean", "string", "integer", "number", "array", "object"] as const;
export type TypeName = (typeof TYPE_NAMES)[number];

export const FORMATS = ["date", "date-time", "uuid"] as const;
export type Format = (typeof FORMATS)[number];

export type Scalar = string | number | boolean | null;

/**
 * A value's schema: the part of JSON Schema 2020-12 that we take, as it is written there. What it leaves out (`$ref`, `anyOf`, `pattern`
 * and so on) and why: ADR 23.
 */
export interface ValueSchema {
  readonly type?: TypeName | readonly TypeName[];
  readonly enum?: readonly Scalar[];
  readonly const?: Scalar;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: Format;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly items?: ValueSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly required?: readonly string[];
  /** Of properties that `properties` does not name. Left out: they may be there, and nothing is said of them. */
  readonly additionalProperties?: boolean | ValueSchema;
}

/** Of an event's `props`: always an object. */
export type PropsSchema = ValueSchema & { readonly type: "object" };

/** Takes everything. */
export const ANYTHING: ValueSchema = {};

/** What a value is; `integer` where it is one. */
export function typeOf(value: unknown): TypeName {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value as "boolean" | "string" | "object";
}

/** The types that a schema takes, `integer` spelt out where it takes every number. */
export function typesOf({ type }: ValueSchema): ReadonlySet<TypeName> {
  const named = new Set<TypeName>(type === undefined ? TYPE_NAMES : typeof type === "string" ? [type] : type);
  if (named.has("number")) named.add("integer");
  return named;
}

/** The only values that it takes, where it lists them. */
export function valuesOf(schema: ValueSchema): readonly Scalar[] | undefined {
  if (schema.const === undefined) return schema.enum;
  const { const: only } = schema;
  return schema.enum === undefined || schema.enum.includes(only) ? [only] : [];
}

export function propertyOf(schema: ValueSchema, name: string): ValueSchema | undefined {
  return schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
}
