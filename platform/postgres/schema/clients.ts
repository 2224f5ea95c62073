import { jsonb, pgTable, text } from "drizzle-orm/pg-core";

import { at } from "./columns.ts";

/** Tenants. Every other table carries `client_id`, and row-level security holds them apart. */
export const clients = pgTable("clients", {
  id: text().primaryKey(),
  name: text().notNull(),
  settings: jsonb().$type<ClientSettings>().notNull().default({}),
  created_at: at("created_at").notNull().defaultNow(),
});

/** What a client may have set for itself; what is missing has a default in `core/client.ts`. */
export interface ClientSettings {
  /** Events accepted at the edge, a second. */
  events_per_second?: number;
  /** Messages a day, by channel. */
  messages_per_day?: Partial<Record<string, number>>;
  /** IANA zone of the client's day, in which daily quotas count; UTC where missing. */
  timezone?: string;
  /** Who messages come from, by channel: an address or an E.164 number. */
  senders?: Partial<Record<string, string>>;
  /** Origins whose pages may show embedded tiles. */
  embed_origins?: string[];
}
