import { PURCHASE } from "../../../core/curated-event.ts";
import { quote } from "../../../platform/warehouse/duckdb.ts";
import type { DayAggregate } from "./replace-day.ts";

/** Every purchase, with whom it belongs to. Also those of machines: shops report their orders from servers. */
export const PURCHASES: DayAggregate = {
  name: "purchases",
  select: (events) => `
    SELECT event_id, person, order_id, strftime("timestamp", '%Y-%m-%dT%H:%M:%S.%gZ') AS at,
      coalesce(currency, '') AS currency, coalesce(revenue_minor, 0) AS revenue_minor, source
    FROM ${events} WHERE event_type = ${quote(PURCHASE)}`,
};
