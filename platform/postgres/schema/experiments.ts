import { bigint, date, doublePrecision, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";

import type { ExperimentMetric, ExperimentVariant } from "../../../core/experiment/definition.ts";
import { analytics } from "./analytics.ts";
import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

/** What is tried out on whom. Never changed but by its end: figures of another question would be figures of another experiment. */
export const experiments = pgTable(
  "experiments",
  {
    client_id: clientId(),
    id: text().notNull(),
    name: text().notNull(),
    variants: jsonb().$type<ExperimentVariant[]>().notNull(),
    metric: jsonb().$type<ExperimentMetric>().notNull(),
    /** How long after a person's first exposure the metric counts. */
    window_ms: bigint({ mode: "number" }).notNull(),
    started_at: at("started_at").notNull(),
    ended_at: at("ended_at"),
    created_at: at("created_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.id] })],
);

/**
 * People by the day and the variant of their first exposure. `counted` took part; `mixed` saw two variants, `unknown` only such as the
 * experiment does not have (variant ''): both are left out of every comparison. The row of the currency '' counts them; the others say
 * what they earned.
 */
export const experimentDaily = analytics.table(
  "experiment_daily",
  {
    client_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    experiment_id: text().notNull(),
    variant: text().notNull(),
    kind: text().notNull().$type<"counted" | "mixed" | "unknown">(),
    currency: text().notNull(),
    /** 0 in the rows of a currency. */
    persons: bigint({ mode: "number" }).notNull(),
    /** Who did what the metric asks for within its window; in the row of a currency, who earned something in it. */
    converted: bigint({ mode: "number" }).notNull(),
    revenue_minor: bigint({ mode: "number" }).notNull(),
    /** Of each person's sum, for its variance. */
    revenue_squares: doublePrecision().notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.client_id, table.experiment_id, table.day, table.variant, table.kind, table.currency],
    }),
  ],
);

/** Messages of a campaign by the day on which they were due, and what is attributed to them by last touch. */
export const campaignPerformance = analytics.table(
  "campaign_performance",
  {
    client_id: text().notNull(),
    campaign_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    channel: text().notNull(),
    messages: integer().notNull(),
    sent: integer().notNull(),
    delivered: integer().notNull(),
    opened: integer().notNull(),
    clicked: integer().notNull(),
    failed: integer().notNull(),
    unknown: integer().notNull(),
    skipped: integer().notNull(),
    under_way: integer().notNull(),
    /** How many were skipped or failed, by reason: `{"skipped": {"no_consent": 2}, "failed": {…}}`. */
    reasons: jsonb().$type<Partial<Record<"failed" | "skipped", Record<string, number>>>>().notNull(),
    attributed_orders: integer().notNull(),
    /** Minor units by currency. */
    attributed_revenue: jsonb().$type<Record<string, number>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.campaign_id, table.day, table.channel] })],
);

/** People who entered a campaign with a holdout, by the day and the arm of their first run; `mixed` had runs of both kinds. */
export const campaignArms = analytics.table(
  "campaign_arms",
  {
    client_id: text().notNull(),
    campaign_id: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    arm: text().notNull().$type<"treated" | "holdout" | "mixed">(),
    persons: integer().notNull(),
    /** Who bought within the campaign's window after they entered. */
    buyers: integer().notNull(),
    /** By currency: the sum of what they paid, in minor units, and of the squares of each person's sum. */
    revenue: jsonb().$type<Record<string, { minor: number; squares: number }>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.campaign_id, table.day, table.arm] })],
);
