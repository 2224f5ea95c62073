import { PURCHASE } from "../../../core/curated-event.ts";
import { quote } from "../../../platform/warehouse/duckdb.ts";
import type { DailyAggregate } from "../aggregate.ts";

const isPurchase = `event_type = ${quote(PURCHASE)}`;

/** By hour, so that the live counters can take over from any of them: they count the same. */
export const activity: DailyAggregate = {
  name: "activity_hourly",
  version: 1,
  columns: {
    hour: "timestamptz",
    currency: "text",
    events: "bigint",
    product_views: "bigint",
    add_to_cart: "bigint",
    purchases: "bigint",
    revenue_minor: "bigint",
  },
  select: `
    SELECT strftime(date_trunc('hour', "timestamp"), '%Y-%m-%dT%H:00:00Z') AS hour,
      CASE WHEN ${isPurchase} THEN coalesce(currency, '') ELSE '' END AS currency, count(*) AS events,
      count(*) FILTER (event_type = 'product_view') AS product_views,
      count(*) FILTER (event_type = 'add_to_cart') AS add_to_cart,
      count(*) FILTER (${isPurchase}) AS purchases,
      coalesce(sum(revenue_minor) FILTER (${isPurchase}), 0) AS revenue_minor
    FROM events GROUP BY ALL`,
};
