import { getNullableType, type GraphQLFieldConfig, GraphQLObjectType, GraphQLSchema, printSchema } from "graphql";

import { toJsonSchema } from "../../core/report-table.ts";
import type { Reports } from "../reports.ts";
import type { JsonRoute } from "../route.ts";
import { argumentsOf } from "./arguments.ts";
import { capitalise, outputType, type TypesByName } from "./output-types.ts";

/** Answers a report as its route does. */
export type ResolveReport<C> = (route: JsonRoute, given: Record<string, unknown>, context: C) => Promise<unknown>;

/**
 * A field of `Query` for each report, with types made of the schemas that describe it in OpenAPI: what is not there cannot be here. A
 * report is worked out once, whatever is picked of it.
 */
export function buildSchema<C>(reports: Reports, resolve: ResolveReport<C>): GraphQLSchema {
  const types: TypesByName = new Map();
  const fields = [...reports.values()].map((route): [string, GraphQLFieldConfig<unknown, C>] => {
    const name = fieldOf(route);
    const schema = toJsonSchema(route.responses[200]!.schema!);
    // One that fails leaves the others their answers.
    const type = getNullableType(outputType(types, schema, schema, capitalise(name)));
    const args = argumentsOf(route, name);
    return [
      name,
      { type, args, description: route.summary, resolve: (_, given, context) => resolve(route, given, context) },
    ];
  });
  const query = new GraphQLObjectType<unknown, C>({ name: "Query", fields: Object.fromEntries(fields) });
  return new GraphQLSchema({ query });
}

/** For people and generators: `docs/api/schema.graphql`. */
export function describeSchema(reports: Reports): string {
  return `${printSchema(buildSchema(reports, async () => null))}\n`;
}

/** `getLtvModel` is `ltvModel`. */
function fieldOf({ operationId }: JsonRoute): string {
  const name = operationId.replace(/^get(?=[A-Z])/, "");
  return `${name[0]!.toLowerCase()}${name.slice(1)}`;
}
