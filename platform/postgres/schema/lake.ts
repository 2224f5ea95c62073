import { bigint, index, pgTable, text } from "drizzle-orm/pg-core";

import { at } from "./columns.ts";

/** Live counters by client, minute and event type live in the user store; this is the lake's own book of files. */
export const lakeFiles = pgTable(
  "lake_files",
  {
    path: text().primaryKey(),
    client_id: text().notNull(),
    partition: text().notNull(),
    rows: bigint({ mode: "number" }).notNull(),
    bytes: bigint({ mode: "number" }).notNull(),
    /** The file that took this one in, once compacted. */
    compacted_into: text(),
    created_at: at("created_at").notNull().defaultNow(),
  },
  (table) => [index("lake_files_partition").on(table.client_id, table.partition)],
);
