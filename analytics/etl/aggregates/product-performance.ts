import type { DailyAggregate } from "../aggregate.ts";

const COLUMNS = {
  currency: "text",
  views: "bigint",
  add_to_cart: "bigint",
  purchases: "bigint",
  units: "numeric",
  revenue_minor: "bigint",
} as const;

/** A row for each product that an event names: the only one, or each of an order's lines. */
const LINES = `
  SELECT event_id, event_type, product_id, category, coalesce(quantity, 1) AS quantity,
    CASE WHEN event_type = 'purchase' THEN revenue_minor END AS revenue_minor, coalesce(currency, '') AS currency
  FROM events WHERE items IS NULL AND event_type IN ('product_view', 'add_to_cart', 'purchase')
  UNION ALL
  SELECT event_id, event_type, item.product_id, item.category, coalesce(item.quantity, 1), item.revenue_minor,
    CASE WHEN item.revenue_minor IS NULL THEN '' ELSE coalesce(currency, '') END
  FROM (SELECT event_id, event_type, currency, unnest(items) AS item FROM events
    WHERE items IS NOT NULL AND event_type IN ('product_view', 'add_to_cart', 'purchase'))`;

/** Each event counts once for what it names, however often it names it. */
function countBy(...keys: string[]): string {
  return `
    SELECT ${keys.join(", ")}, CASE WHEN event_type = 'purchase' THEN currency ELSE '' END AS currency,
      count(DISTINCT event_id) FILTER (event_type = 'product_view') AS views,
      count(DISTINCT event_id) FILTER (event_type = 'add_to_cart') AS add_to_cart,
      count(DISTINCT event_id) FILTER (event_type = 'purchase') AS purchases,
      coalesce(sum(quantity) FILTER (event_type = 'purchase'), 0) AS units,
      coalesce(sum(revenue_minor), 0) AS revenue_minor
    FROM (${LINES}) WHERE ${keys.map((key) => `${key} IS NOT NULL`).join(" AND ")} GROUP BY ALL`;
}

export const productPerformance: DailyAggregate = {
  name: "product_performance_daily",
  version: 1,
  columns: { product_id: "text", ...COLUMNS },
  select: countBy("product_id"),
};

export const categoryPerformance: DailyAggregate = {
  name: "category_performance_daily",
  version: 1,
  columns: { category: "text", ...COLUMNS },
  select: countBy("category"),
};

/** The products of a category: those that an event names together with it. */
export const productCategory: DailyAggregate = {
  name: "product_category_daily",
  version: 1,
  columns: { product_id: "text", category: "text", ...COLUMNS },
  select: countBy("product_id", "category"),
};
