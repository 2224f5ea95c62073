import { sql } from "drizzle-orm";
import { index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";

import type { Handover } from "../../../core/delivery.ts";
import { journeyRuns } from "./campaigns.ts";
import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

/** The delivery ledger: one row for each message that was to be sent, whatever became of it. */
export const deliveries = pgTable(
  "deliveries",
  {
    /** UUIDv5 of run and node: the same message can only ever be this row. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    campaign_id: text().notNull(),
    version: integer().notNull(),
    run_id: uuid()
      .notNull()
      .references(() => journeyRuns.id),
    node_id: text().notNull(),
    person_key: text().notNull(),
    contact_id: uuid(),
    channel: text().notNull().$type<"email" | "sms" | "whatsapp" | "push">(),
    template: text().notNull(),
    /** `skipped`: never handed to a provider, for the reason given. `unknown`: handed over, answer lost. */
    state: text()
      .notNull()
      .$type<"reserved" | "submitting" | "submitted" | "delivered" | "failed" | "unknown" | "skipped">(),
    reason: text(),
    provider: text(),
    provider_message_id: text(),
    /** What was handed to the provider, as far as asking it later needs to know: see `core/delivery.ts`. */
    handover: jsonb().$type<Handover>(),
    attempts: integer().notNull().default(0),
    /** What has happened and has not yet been put on the stream as `campaign_delivery`. */
    unannounced: text()
      .array()
      .notNull()
      .default(sql`'{}'`),
    request_id: text().notNull(),
    opened_at: at("opened_at"),
    clicked_at: at("clicked_at"),
    /** `[{state, at, reason?}]`, oldest first. */
    history: jsonb().$type<{ state: string; at: string; reason?: string }[]>().notNull().default([]),
    created_at: at("created_at").notNull().defaultNow(),
    updated_at: at("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("deliveries_run_node").on(table.run_id, table.node_id),
    index("deliveries_campaign").on(table.client_id, table.campaign_id, table.created_at),
    index("deliveries_provider").on(table.provider, table.provider_message_id),
    index("deliveries_unannounced")
      .on(table.updated_at)
      .where(sql`unannounced <> '{}'`),
    index("deliveries_unsettled")
      .on(table.updated_at)
      .where(sql`state in ('reserved', 'submitting', 'unknown')`),
  ],
);
