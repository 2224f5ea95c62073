import {
  GraphQLBoolean,
  GraphQLEnumType,
  type GraphQLFieldConfigArgumentMap,
  GraphQLFloat,
  GraphQLInt,
  type GraphQLNullableInputType,
  GraphQLNonNull,
  GraphQLString,
} from "graphql";
import { z } from "zod";

import { type JsonSchema, type ResolvedSchema, resolveSchema, toJsonSchema } from "../../core/report-table.ts";
import type { JsonRoute } from "../route.ts";
import { capitalise, textOf } from "./output-types.ts";

const NAME = /^[_A-Za-z]\w*$/;

/** A report's query as arguments; what they may be is checked by the report's own schema. */
export function argumentsOf(route: JsonRoute, field: string): GraphQLFieldConfigArgumentMap {
  if (!route.input) return {};
  // What is asked for by its result, since a number in a query is text before; what must be there, by what is sent.
  const root = toJsonSchema(route.input);
  const sent = z.toJSONSchema(route.input, { io: "input", unrepresentable: "any" });
  const required = new Set(sent.required);
  const { properties = {} } = resolveSchema(root, root);
  const entries = Object.entries(properties).map(([name, property]) => {
    const type = argumentType(resolveSchema(property, root), `${capitalise(field)}${capitalise(name)}`);
    const description = textOf(property) ?? textOf((sent.properties?.[name] ?? {}) as JsonSchema);
    return [name, { type: required.has(name) ? new GraphQLNonNull(type) : type, description }] as const;
  });
  return Object.fromEntries(entries);
}

/** What is a list or an object is written as in a URL. */
function argumentType({ type, enum: values }: ResolvedSchema, name: string): GraphQLNullableInputType {
  if (Array.isArray(values) && values.every((value) => typeof value === "string" && NAME.test(value))) {
    const entries = values.map((value: string) => [value, { value }]);
    return new GraphQLEnumType({ name: name.split("_").map(capitalise).join(""), values: Object.fromEntries(entries) });
  }
  if (type === "integer") return GraphQLInt;
  if (type === "number") return GraphQLFloat;
  return type === "boolean" ? GraphQLBoolean : GraphQLString;
}

/** As they would stand in the URL. */
export function toQuery(given: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
