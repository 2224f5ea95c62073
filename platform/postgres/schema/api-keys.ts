import { index, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";

import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

/** Keys of machines. Only the SHA-256 of a key is kept; `prefix` is what people recognise it by. */
export const apiKeys = pgTable(
  "api_keys",
  {
    id: uuid().primaryKey().defaultRandom(),
    client_id: clientId(),
    key_hash: text().notNull(),
    prefix: text().notNull(),
    scopes: text().array().notNull().$type<("ingest" | "read" | "admin" | "operator")[]>(),
    created_at: at("created_at").notNull().defaultNow(),
    revoked_at: at("revoked_at"),
  },
  (table) => [uniqueIndex("api_keys_hash").on(table.key_hash), index("api_keys_client").on(table.client_id)],
);
