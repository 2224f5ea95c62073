import { index, jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";

import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

/** People who can be written to. `person_key` is the user store's key: `user:…` or `anon:…`. */
export const contacts = pgTable(
  "contacts",
  {
    id: uuid().primaryKey(),
    client_id: clientId(),
    person_key: text().notNull(),
    user_id: text(),
    email: text(),
    phone: text(),
    name: text(),
    push_token: text(),
    locale: text(),
    timezone: text(),
    attributes: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    source: text().notNull().default("event"),
    /** The latest event whose traits are merged in: a later replay of an earlier one changes nothing. */
    traits_at: at("traits_at").notNull(),
    created_at: at("created_at").notNull().defaultNow(),
    updated_at: at("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("contacts_person").on(table.client_id, table.person_key),
    index("contacts_email").on(table.client_id, table.email),
    index("contacts_phone").on(table.client_id, table.phone),
  ],
);

/** What happened to a contact, for people to read. */
export const activities = pgTable(
  "activities",
  {
    /** Deterministic, so that a webhook told twice is one activity. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    contact_id: uuid(),
    person_key: text().notNull(),
    type: text().notNull(),
    metadata: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    ts: at("ts").notNull(),
  },
  (table) => [index("activities_contact").on(table.client_id, table.contact_id, table.ts)],
);
