import { bigint, integer, primaryKey, text } from "drizzle-orm/pg-core";

import { analytics } from "./analytics.ts";
import { at } from "./columns.ts";

/**
 * Units of registered funnels by when they entered, so that those of any range [s, e) are counted once each: the sum of `units` where
 * `entered` lies in the range and `entered_before` does not.
 */
export const funnelHourly = analytics.table(
  "funnel_hourly",
  {
    client_id: text().notNull(),
    /** Of a registered funnel: see core/registered-funnels.ts. */
    funnel: text().notNull(),
    /** `hour`, or the client's day, as if its midnight were in UTC. */
    grain: text().notNull().$type<"hour" | "day">(),
    /** Who has got so far, from 1. */
    step: integer().notNull(),
    entered: at("entered").notNull(),
    /** The hour or day before it in which the same units entered and got so far; the year 1 where there is none worth knowing. */
    entered_before: at("entered_before").notNull(),
    units: bigint({ mode: "number" }).notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.client_id, table.funnel, table.grain, table.step, table.entered, table.entered_before],
    }),
  ],
);
