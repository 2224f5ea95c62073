import type { SchemaIndex } from "../../analytics/stream/enrich/schema-index.ts";
import { compileSchema } from "../../core/event-schema/compile.ts";
import type { RegisteredSchema } from "../../core/event-schema/registered-schema.ts";
import type { ValueSchema } from "../../core/event-schema/schema.ts";

/** One version of a schema, in force for ever. */
export function schemaOf(schema: ValueSchema, mode: RegisteredSchema["mode"], version = 1): RegisteredSchema {
  const versions = [{ version, inForceFromMs: 0, check: compileSchema(schema, ["props"]) }];
  return { versions, mode, modeFromMs: 0, modeBefore: mode };
}

/** What all clients have registered, by event type. */
export function fixedSchemas(byType: Readonly<Record<string, RegisteredSchema>>): SchemaIndex {
  return { refresh: async () => undefined, find: (_, eventType) => byType[eventType] };
}
