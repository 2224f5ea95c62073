import { PURCHASE } from "../../../core/curated-event.ts";
import { quote } from "../../../platform/warehouse/duckdb.ts";
import type { DailyAggregate } from "../aggregate.ts";

/** Every purchase, with whom it belongs to. Also those of machines: shops report their orders from servers. */
export const purchases: DailyAggregate = {
  name: "purchases",
  version: 1,
  columns: {
    event_id: "text",
    person: "text",
    order_id: "text",
    at: "timestamptz",
    currency: "text",
    revenue_minor: "bigint",
    source: "text",
  },
  select: `
    SELECT event_id, person, order_id, strftime("timestamp", '%Y-%m-%dT%H:%M:%S.%gZ') AS at,
      coalesce(currency, '') AS currency, coalesce(revenue_minor, 0) AS revenue_minor, source
    FROM events WHERE event_type = ${quote(PURCHASE)}`,
};
