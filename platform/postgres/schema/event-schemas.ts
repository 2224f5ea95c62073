import { index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";

import type { Compatibility } from "../../../core/event-schema/compatibility.ts";
import type { SchemaMode } from "../../../core/event-schema/registered-schema.ts";
import type { PropsSchema } from "../../../core/event-schema/schema.ts";
import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

/** What a client's events of a type are held to: which version of their `props`' schema, and what becomes of those that do not fit. */
export const eventSchemas = pgTable(
  "event_schemas",
  {
    client_id: clientId(),
    event_type: text().notNull(),
    /** The latest version. Which one an event is held to goes by when it was received: see `in_force_from`. */
    current_version: integer().notNull(),
    mode: text().notNull().$type<SchemaMode>(),
    mode_from: at("mode_from").notNull(),
    /** Until `mode_from`. */
    mode_before: text().notNull().$type<SchemaMode>(),
    /** What the next version must be able to do. */
    compatibility: text().notNull().$type<Compatibility>(),
    created_at: at("created_at").notNull().defaultNow(),
    /** By it the enrichment finds what is new. */
    changed_at: at("changed_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.event_type] }),
    index("event_schemas_changed").on(table.changed_at),
  ],
);

/** Versions of a schema: never changed, never deleted. */
export const eventSchemaVersions = pgTable(
  "event_schema_versions",
  {
    client_id: clientId(),
    event_type: text().notNull(),
    version: integer().notNull(),
    schema: jsonb().notNull().$type<PropsSchema>(),
    /** SHA-256 of its canonical JSON. */
    hash: text().notNull(),
    /** What it was held to when it was made, towards all versions from `compatible_from` on. */
    compatibility: text().notNull().$type<Compatibility>(),
    compatible_from: integer().notNull(),
    /** Events received from then on are held to it. */
    in_force_from: at("in_force_from").notNull(),
    note: text(),
    actor: text().notNull(),
    created_at: at("created_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.event_type, table.version] })],
);
