import { bigint, boolean, date, integer, jsonb, numeric, pgSchema, primaryKey, text } from "drizzle-orm/pg-core";

import { at } from "./columns.ts";

/** Aggregates that the Read API answers from. Days are the client's, in its time zone; money is in minor units of its currency. */
export const analytics = pgSchema("analytics");

/**
 * From what each aggregate's rows of a client's day were made: the digest is of the versions in `sources`. An aggregate that is not of
 * days has one row, with the day `0001-01-01`.
 */
export const builds = analytics.table(
  "builds",
  {
    client_id: text().notNull(),
    aggregate: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    digest: text().notNull(),
    sources: jsonb().$type<BuildSource[]>().notNull(),
    rows: integer().notNull(),
    built_at: at("built_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.aggregate, table.day] })],
);

/** A partition, the version of its curated file, and that of whom its devices belong to. */
export type BuildSource = [partition: string, version: number, people_version: number];

const counts = {
  views: bigint({ mode: "number" }).notNull(),
  add_to_cart: bigint({ mode: "number" }).notNull(),
  purchases: bigint({ mode: "number" }).notNull(),
  /** Pieces, or kilograms: what quantities are of. */
  units: numeric({ precision: 20, scale: 6, mode: "number" }).notNull(),
  revenue_minor: bigint({ mode: "number" }).notNull(),
};

/** By product and currency; what earned nothing stands under the currency ''. */
export const productPerformanceDaily = analytics.table(
  "product_performance_daily",
  {
    client_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    product_id: text().notNull(),
    currency: text().notNull(),
    ...counts,
  },
  (table) => [primaryKey({ columns: [table.client_id, table.day, table.product_id, table.currency] })],
);

/** By category and currency: an order with two products of a category counts once. */
export const categoryPerformanceDaily = analytics.table(
  "category_performance_daily",
  {
    client_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    category: text().notNull(),
    currency: text().notNull(),
    ...counts,
  },
  (table) => [primaryKey({ columns: [table.client_id, table.day, table.category, table.currency] })],
);

/** Visits of a day by where they came from; '' where that is not known. A visit that goes on past midnight counts on both days. */
export const sessionsDaily = analytics.table(
  "sessions_daily",
  {
    client_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    source: text().notNull(),
    country: text().notNull(),
    device: text().notNull(),
    is_bot: boolean().notNull(),
    sessions: bigint({ mode: "number" }).notNull(),
    /** With two events or more. */
    engaged: bigint({ mode: "number" }).notNull(),
    /** In which a product was looked at, put into a cart, bought. */
    viewed: bigint({ mode: "number" }).notNull(),
    carted: bigint({ mode: "number" }).notNull(),
    purchased: bigint({ mode: "number" }).notNull(),
    events: bigint({ mode: "number" }).notNull(),
    purchases: bigint({ mode: "number" }).notNull(),
    /** From first to last event, summed. */
    duration_ms: bigint({ mode: "number" }).notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.client_id, table.day, table.source, table.country, table.device, table.is_bot],
    }),
  ],
);
