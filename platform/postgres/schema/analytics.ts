import { bigint, boolean, date, index, integer, jsonb, numeric, pgSchema, primaryKey, text } from "drizzle-orm/pg-core";

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

/** By product, the category that the event named, and currency: the products of a category. */
export const productCategoryDaily = analytics.table(
  "product_category_daily",
  {
    client_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    product_id: text().notNull(),
    category: text().notNull(),
    currency: text().notNull(),
    ...counts,
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.day, table.product_id, table.category, table.currency] }),
    index("product_category_daily_category").on(table.client_id, table.category, table.day),
  ],
);

/**
 * What went on in each hour (UTC) of a client's day, by the currency of purchases ('' for all else): what the live counters can take
 * over from, hour by hour.
 */
export const activityHourly = analytics.table(
  "activity_hourly",
  {
    client_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    hour: at("hour").notNull(),
    currency: text().notNull(),
    events: bigint({ mode: "number" }).notNull(),
    product_views: bigint({ mode: "number" }).notNull(),
    add_to_cart: bigint({ mode: "number" }).notNull(),
    purchases: bigint({ mode: "number" }).notNull(),
    revenue_minor: bigint({ mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.day, table.hour, table.currency] })],
);

/**
 * Who was there on a day by when they had been there last before (`0001-01-01`: never), and where they came from first that day. Whoever
 * was there in a range of days is in the one row that has its `previous_day` before the range.
 */
export const visitorsDaily = analytics.table(
  "visitors_daily",
  {
    client_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    previous_day: date({ mode: "string" }).notNull(),
    source: text().notNull(),
    country: text().notNull(),
    device: text().notNull(),
    persons: integer().notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.client_id, table.day, table.previous_day, table.source, table.country, table.device],
    }),
  ],
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
