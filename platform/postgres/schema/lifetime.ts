import { bigint, date, doublePrecision, index, integer, jsonb, primaryKey, text, uuid } from "drizzle-orm/pg-core";

import type { Question, QuestionState } from "../../../core/contracts/ad-hoc.ts";
import type { BgNbdFit } from "../../../core/lifetime-value/bg-nbd.ts";
import type { GammaGammaFit } from "../../../core/lifetime-value/gamma-gamma.ts";
import { analytics } from "./analytics.ts";
import { at } from "./columns.ts";

/** Each purchase, with whom it belongs to: what lifetime values and cohorts are made of. */
export const purchases = analytics.table(
  "purchases",
  {
    client_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    event_id: text().notNull(),
    /** `user:…`, `anon:…` or `session:…`. */
    person: text().notNull(),
    order_id: text(),
    at: at("at").notNull(),
    /** '' where the event named no money that can be read. */
    currency: text().notNull(),
    revenue_minor: bigint({ mode: "number" }).notNull(),
    source: text(),
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.day, table.event_id] }),
    index("purchases_person").on(table.client_id, table.person, table.day),
  ],
);

/** Who was there on which day, and where they last came from that day. */
export const personDays = analytics.table(
  "person_days",
  {
    client_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    person: text().notNull(),
    events: bigint({ mode: "number" }).notNull(),
    last_at: at("last_at").notNull(),
    last_source: text(),
    /** Of the day's first event; '' where not known. */
    source: text().notNull().default(""),
    country: text().notNull().default(""),
    device: text().notNull().default(""),
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.day, table.person] }),
    index("person_days_person").on(table.client_id, table.person, table.day),
  ],
);

/** What each customer has brought in each currency ('' where no money was named), and what is to be expected of them. */
export const customerLtv = analytics.table(
  "customer_ltv",
  {
    client_id: text().notNull(),
    person: text().notNull(),
    currency: text().notNull(),
    orders: integer().notNull(),
    revenue_minor: bigint({ mode: "number" }).notNull(),
    average_order_minor: bigint({ mode: "number" }).notNull(),
    /** In any currency, like all that follows but the values. */
    first_day: date({ mode: "string" }).notNull(),
    last_day: date({ mode: "string" }).notNull(),
    purchase_days: integer().notNull(),
    /** Purchase days after the first, a week; null on the day of the first. */
    purchase_frequency: doublePrecision(),
    /** Null where too few have bought twice to tell. */
    probability_alive: doublePrecision(),
    expected_purchases: doublePrecision(),
    expected_average_minor: doublePrecision(),
    predicted_minor: doublePrecision(),
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.person, table.currency] }),
    index("customer_ltv_value").on(table.client_id, table.currency, table.predicted_minor, table.person),
  ],
);

/** The models behind `customer_ltv`, one row for each currency. */
export const ltvModels = analytics.table(
  "ltv_models",
  {
    client_id: text().notNull(),
    currency: text().notNull(),
    observed_until: date({ mode: "string" }).notNull(),
    /** Who bought, in any currency. */
    customers: integer().notNull(),
    bg_nbd: jsonb().$type<BgNbdFit>(),
    gamma_gamma: jsonb().$type<GammaGammaFit>(),
    built_at: at("built_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.currency] })],
);

/** Of those who began in the period that starts with `cohort`: how many were there again `age` periods later. */
export const cohortRetention = analytics.table(
  "cohort_retention",
  {
    client_id: text().notNull(),
    cohort_by: text().notNull().$type<"first_purchase" | "first_seen">(),
    period: text().notNull().$type<"day" | "week" | "month">(),
    cohort: date({ mode: "string" }).notNull(),
    age: integer().notNull(),
    persons: integer().notNull(),
    /** Minor units by currency. */
    revenue: jsonb().$type<Record<string, number>>().notNull().default({}),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.cohort_by, table.period, table.cohort, table.age] })],
);

/** Questions that were worked out on request, and their answers. */
export const answers = analytics.table(
  "answers",
  {
    /** Of client, question and data version: asking twice is asking once. */
    id: uuid().primaryKey(),
    client_id: text().notNull(),
    kind: text().notNull(),
    params: jsonb().$type<Question["params"]>().notNull(),
    data_version: text().notNull(),
    state: text().notNull().$type<QuestionState>().default("running"),
    /** How much is done, of a hundred. */
    progress: integer().notNull().default(0),
    answer: jsonb(),
    fault: text(),
    asked_at: at("asked_at").notNull().defaultNow(),
    answered_at: at("answered_at"),
  },
  (table) => [index("answers_client").on(table.client_id, table.asked_at)],
);
