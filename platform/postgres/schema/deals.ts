import {
  bigint,
  boolean,
  date,
  doublePrecision,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";

import type { StageKind } from "../../../core/pipeline/pipeline.ts";
import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";
import { contacts } from "./people.ts";

export const companies = pgTable(
  "companies",
  {
    client_id: clientId(),
    id: uuid().notNull(),
    name: text().notNull(),
    domain: text(),
    created_at: at("created_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.id] }),
    index("companies_created").on(table.client_id, table.created_at, table.id),
  ],
);

/** A way that deals go. One of each client's is where a deal goes of which nothing is said. */
export const pipelines = pgTable(
  "pipelines",
  {
    client_id: clientId(),
    id: text().notNull(),
    name: text().notNull(),
    is_default: boolean().notNull(),
    created_at: at("created_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.id] })],
);

export const pipelineStages = pgTable(
  "pipeline_stages",
  {
    client_id: clientId(),
    pipeline_id: text().notNull(),
    stage: text().notNull(),
    name: text().notNull(),
    /** From 0, as people see them from left to right. */
    position: integer().notNull(),
    kind: text().notNull().$type<StageKind>(),
    /** That a deal here is won in the end, as its owner believes: what forecasts begin with. */
    probability: doublePrecision().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.pipeline_id, table.stage] }),
    foreignKey({ columns: [table.client_id, table.pipeline_id], foreignColumns: [pipelines.client_id, pipelines.id] }),
  ],
);

/** What is both of a deal and of each of its changes. */
const facts = {
  pipeline_id: text().notNull(),
  stage: text().notNull(),
  /** Who looks after it: a word of the client's own. */
  owner: text(),
  /** Where it came from. */
  source: text(),
  /** Minor units of `currency`; both or neither. */
  amount_minor: bigint({ mode: "number" }),
  currency: text(),
  expected_close: date({ mode: "string" }),
  /** Why it was lost, or won. */
  reason: text(),
};

export const deals = pgTable(
  "deals",
  {
    client_id: clientId(),
    id: uuid().notNull(),
    /** One more with each change: who changes a deal says which one they have seen. */
    version: integer().notNull(),
    title: text().notNull(),
    contact_id: uuid()
      .notNull()
      .references(() => contacts.id),
    company_id: uuid(),
    product_id: text(),
    ...facts,
    created_at: at("created_at").notNull(),
    updated_at: at("updated_at").notNull(),
    /** When it was won or lost; null while it is open. */
    closed_at: at("closed_at"),
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.id] }),
    foreignKey({
      name: "deals_stage_fk",
      columns: [table.client_id, table.pipeline_id, table.stage],
      foreignColumns: [pipelineStages.client_id, pipelineStages.pipeline_id, pipelineStages.stage],
    }),
    foreignKey({ columns: [table.client_id, table.company_id], foreignColumns: [companies.client_id, companies.id] }),
    index("deals_created").on(table.client_id, table.created_at, table.id),
    index("deals_stage").on(table.client_id, table.pipeline_id, table.stage),
    index("deals_contact").on(table.client_id, table.contact_id),
  ],
);

/** What each change has made of a deal, one row for each version, never changed: from it any past day can be told. */
export const dealChanges = pgTable(
  "deal_changes",
  {
    client_id: clientId(),
    deal_id: uuid().notNull(),
    version: integer().notNull(),
    /** Never before that of the version before. */
    at: at("at").notNull(),
    actor: text().notNull(),
    ...facts,
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.deal_id, table.version] }),
    foreignKey({ columns: [table.client_id, table.deal_id], foreignColumns: [deals.client_id, deals.id] }),
  ],
);
