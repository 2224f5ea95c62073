import { sql } from "drizzle-orm";
import { z } from "zod";

import { ID_PATTERN, MAX_EVENT_TYPE_LENGTH } from "../core/event.ts";
import { COMPATIBILITIES } from "../core/event-schema/compatibility.ts";
import { SCHEMA_MODES } from "../core/event-schema/registered-schema.ts";
import type { eventSchemas, eventSchemaVersions } from "../platform/postgres/schema.ts";
import { isoTime, project, timeSchema } from "./page.ts";

export const eventTypeSchema = z
  .string()
  .min(1)
  .max(MAX_EVENT_TYPE_LENGTH)
  .regex(ID_PATTERN, "control characters and unpaired surrogates are not allowed");

export const schemaModeSchema = z.enum(SCHEMA_MODES).meta({
  description:
    "`observe`: an event that does not fit is taken, and counted. `enforce`: it becomes a dead letter of the stage `schema`.",
});
export const compatibilitySchema = z.enum(COMPATIBILITIES).meta({
  description:
    "What the next version must be able to do. `backward`: read what the versions before it wrote. `forward`: write only what those can read. `full`: both. `none`: nothing; it begins a new line.",
});
export const jsonSchemaSchema = z
  .record(z.string(), z.unknown())
  .meta({ description: "Of `props`, in our part of JSON Schema 2020-12: docs/schemas.md." });

/**
 * So long after it was made a version or a mode counts: by then every process that judges events has heard of it, so that the same
 * event is judged the same by all of them.
 */
export const inForceFrom = sql`clock_timestamp() + interval '5 seconds'`;

export const eventSchemaSchema = z
  .object({
    event_type: z.string(),
    version: z.int().meta({ description: "The latest." }),
    mode: schemaModeSchema,
    mode_from: timeSchema.meta({ description: "Events received from then on." }),
    compatibility: compatibilitySchema,
    created_at: timeSchema,
    changed_at: timeSchema,
  })
  .meta({ id: "EventSchema" });
export type EventSchema = z.infer<typeof eventSchemaSchema>;

export const eventSchemaVersionSchema = z
  .object({
    version: z.int(),
    schema: jsonSchemaSchema,
    hash: z.string().meta({ description: "SHA-256 of its canonical JSON." }),
    compatibility: compatibilitySchema,
    compatible_from: z
      .int()
      .meta({ description: "The first of the versions that it was compared with, itself where none." }),
    in_force_from: timeSchema.meta({ description: "Events received from then on are held to it." }),
    note: z.string().nullable(),
    actor: z.string(),
    created_at: timeSchema,
  })
  .meta({ id: "EventSchemaVersion" });
export type EventSchemaVersion = z.infer<typeof eventSchemaVersionSchema>;

export function viewEventSchema(row: typeof eventSchemas.$inferSelect): EventSchema {
  return project(eventSchemaSchema, {
    ...row,
    version: row.current_version,
    mode_from: isoTime(row.mode_from),
    created_at: isoTime(row.created_at),
    changed_at: isoTime(row.changed_at),
  });
}

export function viewVersion(row: typeof eventSchemaVersions.$inferSelect): EventSchemaVersion {
  return project(eventSchemaVersionSchema, {
    ...row,
    schema: { ...row.schema },
    in_force_from: isoTime(row.in_force_from),
    created_at: isoTime(row.created_at),
  });
}
