/** A question in SQL that DuckDB and Redshift both speak, over the tables of tables.ts; parameters are text. */
export interface PortableQuestion {
  sql: string;
  parameters: Record<string, string>;
}

/** [start, end), ISO 8601 UTC. */
export interface PortableRange {
  start: string;
  end: string;
}

/** Products by views, carts, orders and money: as product_performance_daily has them, over any range. */
export function askProducts(range: PortableRange): PortableQuestion {
  const sql = `
    SELECT product_id, CASE WHEN event_type = 'purchase' THEN COALESCE(currency, '') ELSE '' END AS currency,
      ${countOf("product_view")} AS views, ${countOf("add_to_cart")} AS add_to_cart, ${countOf("purchase")} AS purchases,
      CAST(COALESCE(SUM(CASE WHEN event_type = 'purchase' THEN revenue_minor END), 0) AS BIGINT) AS revenue_minor
    FROM event_items
    WHERE event_type IN ('product_view', 'add_to_cart', 'purchase') AND product_id IS NOT NULL AND ${within()}
    GROUP BY 1, 2
    ORDER BY 1, 2`;
  return { sql, parameters: momentsOf(range) };
}

/** How many of the people who came first in a month bought in which: months as the first of them, UTC. */
export function askCohorts(range: PortableRange): PortableQuestion {
  const sql = `
    WITH firsts AS (SELECT person, MIN("timestamp") AS first_at FROM events GROUP BY person)
    SELECT ${monthOf("firsts.first_at")} AS cohort, ${monthOf('events."timestamp"')} AS month, COUNT(DISTINCT events.person) AS people
    FROM events INNER JOIN firsts ON firsts.person = events.person
    WHERE events.event_type = 'purchase' AND ${within("events.")}
    GROUP BY 1, 2
    ORDER BY 1, 2`;
  return { sql, parameters: momentsOf(range) };
}

function countOf(type: string): string {
  return `COUNT(DISTINCT CASE WHEN event_type = '${type}' THEN event_id END)`;
}

function monthOf(moment: string): string {
  return `CAST(DATE_TRUNC('month', ${moment}) AS DATE)`;
}

function momentsOf({ start, end }: PortableRange): Record<string, string> {
  return { start: toTimestamp(Date.parse(start)), end: toTimestamp(Date.parse(end)) };
}

/** Without a zone: the tables' times are UTC. */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "");
}

function within(of = ""): string {
  return `${of}"timestamp" >= CAST(:start AS TIMESTAMP) AND ${of}"timestamp" < CAST(:end AS TIMESTAMP)`;
}
