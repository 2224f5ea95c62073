import { index, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";

import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

/** With what a client's embed tokens are signed: the newest signs, all that are not retired are believed. */
export const embedKeys = pgTable(
  "embed_keys",
  {
    /** The token's `kid`. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    /** 32 random bytes, base64url. */
    secret: text().notNull(),
    created_at: at("created_at").notNull().defaultNow(),
    retired_at: at("retired_at"),
  },
  (table) => [index("embed_keys_client").on(table.client_id, table.created_at)],
);

/** Links that were handed out, each to one tile of a dashboard. */
export const embeds = pgTable(
  "embeds",
  {
    /** The token's `jti`. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    report: text().notNull(),
    /** As it was asked, checked. */
    query: jsonb().$type<Record<string, string>>().notNull(),
    title: text(),
    expires_at: at("expires_at").notNull(),
    revoked_at: at("revoked_at"),
    actor: text().notNull(),
    request_id: text().notNull(),
    created_at: at("created_at").notNull().defaultNow(),
  },
  (table) => [index("embeds_client").on(table.client_id, table.created_at)],
);
