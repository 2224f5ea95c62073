import type { DailyAggregate } from "../aggregate.ts";

/** A visit is what shares a `session_id`; its first event of the day says where it came from. */
export const sessions: DailyAggregate = {
  name: "sessions_daily",
  version: 1,
  columns: {
    source: "text",
    country: "text",
    device: "text",
    is_bot: "boolean",
    sessions: "bigint",
    engaged: "bigint",
    viewed: "bigint",
    carted: "bigint",
    purchased: "bigint",
    events: "bigint",
    purchases: "bigint",
    duration_ms: "bigint",
  },
  select: `
    SELECT first.source AS source, first.country AS country, first.device AS device, is_bot, count(*) AS sessions,
      count(*) FILTER (events >= 2) AS engaged, count(*) FILTER (views > 0) AS viewed, count(*) FILTER (carts > 0) AS carted,
      count(*) FILTER (purchases > 0) AS purchased, sum(events) AS events, sum(purchases) AS purchases, sum(duration_ms) AS duration_ms
    FROM (
      SELECT session_id, bool_or(is_bot) AS is_bot, count(*) AS events,
        min({'t': timestamp, 'l': length(source_sequence), 's': source_sequence, 'i': source_index, 'h': source_shard,
          'source': coalesce(source, ''), 'country': coalesce(country, ''), 'device': coalesce(device, '')}) AS first,
        count(*) FILTER (event_type = 'product_view') AS views, count(*) FILTER (event_type = 'add_to_cart') AS carts,
        count(*) FILTER (event_type = 'purchase') AS purchases, epoch_ms(max(timestamp)) - epoch_ms(min(timestamp)) AS duration_ms
      FROM events WHERE session_id IS NOT NULL GROUP BY session_id
    ) GROUP BY ALL`,
};
