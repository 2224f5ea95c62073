import {
  GraphQLBoolean,
  type GraphQLFieldConfig,
  GraphQLFloat,
  GraphQLList,
  type GraphQLNullableOutputType,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLScalarType,
  GraphQLString,
} from "graphql";

import { isNullable, type JsonSchema, resolveSchema } from "../../core/report-table.ts";

/** Counts and money may be larger than GraphQL's own `Int`. */
const Whole = new GraphQLScalarType({
  name: "Whole",
  description: "A whole number of up to 53 bits.",
  serialize: (value) => {
    if (!Number.isSafeInteger(value)) throw new TypeError(`${String(value)} is no whole number`);
    return value;
  },
});

/** What has no fixed fields: `{"EUR": 500}`. */
const Json = new GraphQLScalarType({ name: "JSON", description: "Any JSON.", serialize: (value) => value });

/** Object types by name, so that what two reports share is one type. */
export type TypesByName = Map<string, GraphQLObjectType>;

/** `name`: of the type, where the schema has none. */
export function outputType(types: TypesByName, schema: JsonSchema, root: JsonSchema, name: string): GraphQLOutputType {
  const type = nullableType(types, schema, root, name);
  return isNullable(schema) ? type : new GraphQLNonNull(type);
}

function nullableType(
  types: TypesByName,
  schema: JsonSchema,
  root: JsonSchema,
  hint: string,
): GraphQLNullableOutputType {
  const resolved = resolveSchema(schema, root);
  const { type, items, properties } = resolved;
  if (type === "array" && items) return new GraphQLList(outputType(types, items, root, hint));
  if (type === "object" && properties) return objectType(types, resolved, root, nameOf(schema, resolved) ?? hint);
  if (type === "integer") return Whole;
  if (type === "number") return GraphQLFloat;
  if (type === "boolean") return GraphQLBoolean;
  return type === "string" ? GraphQLString : Json;
}

function objectType(types: TypesByName, schema: JsonSchema, root: JsonSchema, name: string): GraphQLObjectType {
  const known = types.get(name);
  if (known) return known;
  const made = new GraphQLObjectType({
    name,
    description: textOf(schema),
    fields: () => fieldsOf(types, schema, root, name),
  });
  types.set(name, made);
  return made;
}

function fieldsOf(types: TypesByName, schema: JsonSchema, root: JsonSchema, name: string) {
  const required = schema["required"] as string[] | undefined;
  const fields = Object.entries(schema.properties ?? {}).map(([field, property]) => {
    const hint = `${name}${field.split("_").map(capitalise).join("")}`;
    const isRequired = required?.includes(field) ?? false;
    const type = isRequired ? outputType(types, property, root, hint) : nullableType(types, property, root, hint);
    return [field, { type, description: textOf(property) } satisfies GraphQLFieldConfig<unknown, unknown>] as const;
  });
  return Object.fromEntries(fields);
}

/** As OpenAPI calls it. */
function nameOf(schema: JsonSchema, resolved: JsonSchema): string | undefined {
  return typeof resolved["id"] === "string" ? resolved["id"] : schema.$ref?.replace("#/$defs/", "");
}

export function textOf({ description }: JsonSchema): string | undefined {
  return description as string | undefined;
}

export function capitalise(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
