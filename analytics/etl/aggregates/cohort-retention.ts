import { type SQL, sql } from "drizzle-orm";

import { COHORT_BY, COHORT_PERIODS, type CohortBy, type CohortPeriod, FOLLOWED } from "../../../core/cohort.ts";
import type { Database } from "../../../platform/postgres/database.ts";
import type { Transaction } from "../../../platform/postgres/tenant.ts";

/**
 * Replaces the client's cohorts: who began in a period, how many of them were there again so many periods later, and what
 * they spent then. Reads `analytics.purchases` and `analytics.person_days` only. Answers how many figures there are.
 */
export async function buildCohortRetention(db: Database, clientId: string): Promise<number> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`cohort_retention ${clientId}`}, 0))`);
    // Of a client that is new to PostgreSQL's statistics it expects a single row, and would loop over all persons for each of them.
    await tx.execute(sql`set local enable_nestloop = off`);
    await tx.execute(sql`delete from analytics.cohort_retention where client_id = ${clientId}`);
    let rows = 0;
    for (const by of COHORT_BY) for (const period of COHORT_PERIODS) rows += await insert(tx, clientId, by, period);
    return rows;
  });
}

/** Where a person's being there is seen. */
const SEEN: Readonly<Record<CohortBy, SQL>> = {
  first_purchase: sql`analytics.purchases`,
  first_seen: sql`analytics.person_days`,
};

const AGE: Readonly<Record<CohortPeriod, SQL>> = {
  day: sql`span - cohort`,
  week: sql`(span - cohort) / 7`,
  month: sql`((extract(year from span) - extract(year from cohort)) * 12 + extract(month from span) - extract(month from cohort))::int`,
};

async function insert(tx: Transaction, clientId: string, by: CohortBy, period: CohortPeriod): Promise<number> {
  const periodOf = (day: SQL) => sql`date_trunc(${period}::text, ${day}::timestamp)::date`;
  const inserted = await tx.execute(sql`
    with seen as materialized (
      select distinct person, ${periodOf(sql`day`)} as span from ${SEEN[by]} where client_id = ${clientId}
    ), members as materialized (
      select person, min(span) as cohort from seen group by 1
    ), spent as (
      select cohort, span, jsonb_object_agg(currency, revenue) as revenue from (
        select cohort, ${periodOf(sql`day`)} as span, currency, sum(revenue_minor) as revenue
        from analytics.purchases join members using (person)
        where client_id = ${clientId} and currency <> '' group by 1, 2, 3
      ) by_currency group by 1, 2
    ), there as (
      select cohort, span, count(*)::int as persons, ${AGE[period]} as age from seen join members using (person) group by 1, 2
    )
    insert into analytics.cohort_retention (client_id, cohort_by, period, cohort, age, persons, revenue)
    select ${clientId}, ${by}, ${period}, cohort, age, persons, coalesce(revenue, '{}')
    from there left join spent using (cohort, span) where age <= ${FOLLOWED[period]}`);
  return inserted.count;
}
