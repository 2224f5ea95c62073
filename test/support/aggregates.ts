import { sql } from "drizzle-orm";

import type { Database } from "../../platform/postgres/database.ts";

/** What tells apart two rows of the same, and what is counted. */
export const AGGREGATES = {
  product_performance_daily: "day, product_id, currency, views, add_to_cart, purchases, units, revenue_minor",
  category_performance_daily: "day, category, currency, views, add_to_cart, purchases, units, revenue_minor",
  sessions_daily:
    "day, source, country, device, is_bot, sessions, engaged, viewed, carted, purchased, events, purchases, duration_ms",
  purchases: "day, person, order_id, at, currency, revenue_minor, source",
  person_days: "day, person, events, last_at, last_source",
  customer_ltv: "person, currency, orders, revenue_minor, average_order_minor, first_day, last_day, purchase_days",
  cohort_retention: "cohort_by, period, cohort, age, persons, revenue",
};

/** Those of some years, in order: of two clients to whom the same has happened they are the same. */
export async function readAggregates(
  db: Database,
  client_id: string,
  years: readonly number[],
): Promise<Record<string, readonly Record<string, unknown>[]>> {
  const found = Object.entries(AGGREGATES).map(async ([table, columns]) => {
    const when = { customer_ltv: "first_day", cohort_retention: "cohort" }[table] ?? "day";
    const all = await db.execute<Record<string, unknown>>(sql`
      select ${sql.raw(columns)} from ${sql.raw(`analytics.${table}`)} where client_id = ${client_id}
        and extract(year from ${sql.raw(when)})::int in (select jsonb_array_elements_text(${JSON.stringify(years)}::text::jsonb)::int)
      order by ${sql.raw(columns)}`);
    return [table, [...all]] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}
