import { sql } from "drizzle-orm";
import { foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";

import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

export const campaigns = pgTable(
  "campaigns",
  {
    client_id: clientId(),
    id: text().notNull(),
    name: text().notNull(),
    state: text().notNull().$type<"draft" | "active" | "paused" | "archived">(),
    /** The campaign JSON as it was sent, of the draft that the next publish takes. */
    draft: jsonb().notNull(),
    /** The version that new entries run; null until the first publish. */
    current_version: integer(),
    created_at: at("created_at").notNull().defaultNow(),
    updated_at: at("updated_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.id] })],
);

/** Published versions: never changed, never deleted while a run refers to them. */
export const campaignVersions = pgTable(
  "campaign_versions",
  {
    client_id: clientId(),
    campaign_id: text().notNull(),
    version: integer().notNull(),
    /** SHA-256 of the journey's canonical JSON. */
    hash: text().notNull(),
    source: jsonb().notNull(),
    journey: jsonb().notNull(),
    published_at: at("published_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.campaign_id, table.version] }),
    foreignKey({ columns: [table.client_id, table.campaign_id], foreignColumns: [campaigns.client_id, campaigns.id] }),
  ],
);

/**
 * One row for each time a person entered a journey: the projection that people and the delivery ledger read. The row is
 * written before the workflow is started; `state` is what a reservation of a message checks.
 */
export const journeyRuns = pgTable(
  "journey_runs",
  {
    /** UUIDv5 of workflow id and entry event. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    campaign_id: text().notNull(),
    version: integer().notNull(),
    workflow_id: text().notNull(),
    person_key: text().notNull(),
    /** All keys the person was known by, so that an event under any of them finds the run. */
    person_keys: text().array().notNull(),
    /** The cart or order the run is about; empty where there is none. */
    entry_key: text().notNull().default(""),
    entry_event_id: text().notNull(),
    /** The entry event's type and props as far as a message may speak of them; at most 8 KiB, else empty. */
    entry_event_type: text().notNull().default(""),
    entry_props: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    request_id: text().notNull(),
    /** `held` waits for a paused campaign. Only `active` may send. */
    state: text().notNull().$type<"active" | "held" | "completed" | "stopped" | "failed">().default("active"),
    /** Why it ended or is held: `purchase`, `exit`, `campaign_paused`, … */
    reason: text(),
    stopped_by_event_id: text(),
    node_id: text(),
    /** Which part of an experiment the run is: `holdout` sends nothing; null where there is none. */
    arm: text(),
    entered_at: at("entered_at").notNull(),
    created_at: at("created_at").notNull().defaultNow(),
    /** Null until Temporal has acknowledged the start. */
    started_at: at("started_at"),
    ended_at: at("ended_at"),
  },
  (table) => [
    index("journey_runs_campaign").on(table.client_id, table.campaign_id, table.entered_at),
    index("journey_runs_workflow").on(table.client_id, table.workflow_id),
    /** Re-entry: at most one open run of a person, journey and key (the workflow id is made of the three). */
    uniqueIndex("journey_runs_open_workflow")
      .on(table.workflow_id)
      .where(sql`state in ('active', 'held')`),
    /** What Temporal has still to be told: a start, or a stop. */
    index("journey_runs_unsettled")
      .on(table.created_at)
      .where(sql`(state in ('active', 'held') and started_at is null) or (state = 'stopped' and ended_at is null)`),
    index("journey_runs_open_keys")
      .using("gin", table.person_keys)
      // Entries waiting to be merged would be read by every search: milliseconds each, thousands of times a second.
      .with({ fastupdate: false })
      .where(sql`state in ('active', 'held')`),
  ],
);

export const templates = pgTable(
  "templates",
  {
    client_id: clientId(),
    channel: text().notNull(),
    name: text().notNull(),
    subject: text(),
    /** Liquid. HTML for e-mail, plain text elsewhere. */
    body: text().notNull(),
    /** WhatsApp: the template that Meta has approved, and its variables (each Liquid). */
    content_sid: text(),
    content_variables: jsonb().$type<Record<string, string>>(),
    updated_at: at("updated_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.channel, table.name] })],
);
