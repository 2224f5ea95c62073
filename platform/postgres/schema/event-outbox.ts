import { bigint, index, jsonb, pgTable, text } from "drizzle-orm/pg-core";

import type { Event } from "../../../core/event.ts";
import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

/** Events that a change owes to the stream "events", written with the change itself; a row goes once the stream has it. */
export const eventOutbox = pgTable(
  "event_outbox",
  {
    /** In this order; changes of one thing take turns, so theirs is the order in which they were made. */
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    client_id: clientId(),
    /** Its `event_id` follows from the change: put there twice it is one event. */
    event: jsonb().$type<Event>().notNull(),
    request_id: text().notNull(),
    created_at: at("created_at").notNull().defaultNow(),
  },
  (table) => [index("event_outbox_client").on(table.client_id, table.id)],
);
