import { sql } from "drizzle-orm";

import type { CurrencySpending, Customer } from "../../core/lifetime-value/model-customers.ts";
import { dayNumber, summarise } from "../../core/lifetime-value/purchase-summary.ts";
import { CURRENCY_EXPONENTS } from "../../core/money.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";

/** What one customer bought in one currency, and when in any. */
export interface CustomerRow {
  person: string;
  currency: string;
  orders: number;
  revenue_minor: number;
  first_day: string;
  last_day: string;
  purchase_days: number;
}

export interface Customers {
  /** One for each person, in the order of their first rows. */
  customers: Customer[];
  /** One for each person and currency; `at` is the place in `customers`, `place` that among its spending (null: no money). */
  rows: (CustomerRow & { at: number; place: number | null })[];
}

/** The other way round: `toMajor(12900, "USD")` is 129. */
function toMajor(minor: number, currency: string): number {
  return minor / 10 ** (CURRENCY_EXPONENTS.get(currency) ?? 2);
}

/**
 * Everybody who bought up to and with the day `until`, as the models want them. Without a join: of a table that was filled a moment
 * ago PostgreSQL knows no sizes, takes nested loops, and is at it for minutes.
 */
export async function readCustomers(tx: Transaction, clientId: string, until: string): Promise<Customers> {
  const found = await tx.execute<Row>(sql`
    with marked as (
      select person, currency, day, revenue_minor,
        (row_number() over (partition by person, currency, coalesce('order ' || order_id, event_id) order by day) = 1)::int as begins
      from analytics.purchases where client_id = ${clientId} and day <= ${until}
    ), bought as (
      select person, currency, day, sum(revenue_minor) as revenue, sum(begins) as orders from marked group by 1, 2, 3
    ), placed as (
      select *, min(day) over person_days as first_day, max(day) over person_days as last_day,
        dense_rank() over (partition by person order by day) + dense_rank() over (partition by person order by day desc) - 1 as purchase_days
      from bought window person_days as (partition by person)
    )
    select person, currency, sum(orders)::float8 as orders, sum(revenue)::float8 as revenue_minor,
      first_day::text, last_day::text, purchase_days::float8, count(*)::float8 as days,
      coalesce(sum(revenue) filter (where is_repeat), 0)::float8 as repeat_revenue,
      (count(*) filter (where is_repeat))::float8 as repeat_days
    from (select *, day > first_day and revenue > 0 and currency <> '' as is_repeat from placed) days
    group by person, currency, first_day, last_day, purchase_days
    order by person, currency`);
  return toCustomers(found, dayNumber(until));
}

type Row = CustomerRow & {
  /** With purchases in this currency; those of them that are not the first day of all; and what they brought. */
  days: number;
  repeat_days: number;
  repeat_revenue: number;
} & Record<string, unknown>;

function toCustomers(found: readonly Row[], until: number): Customers {
  const customers: Customer[] = [];
  const rows: Customers["rows"] = [];
  let daysInAll = 0;
  let spending: CurrencySpending[] = [];
  for (const [i, row] of found.entries()) {
    if (row.person !== found[i - 1]?.person) {
      spending = [];
      daysInAll = 0;
      for (let j = i; found[j]?.person === row.person; j++) daysInAll += found[j]!.days;
      const [first, last] = [dayNumber(row.first_day), dayNumber(row.last_day)];
      customers.push({ ...summarise(row.purchase_days - 1, first, last, until), spending });
    }
    const { person, currency, orders, revenue_minor, first_day, last_day, purchase_days } = row;
    const place = currency === "" ? null : spending.length;
    const mean = row.repeat_days === 0 ? 0 : toMajor(row.repeat_revenue / row.repeat_days, currency);
    if (place !== null) spending.push({ currency, frequency: row.repeat_days, mean, share: row.days / daysInAll });
    const own = { person, currency, orders, revenue_minor, first_day, last_day, purchase_days };
    rows.push({ ...own, at: customers.length - 1, place });
  }
  return { customers, rows };
}
