import { sql } from "drizzle-orm";

import type { Transaction } from "../../../platform/postgres/tenant.ts";

/**
 * Who took part in a campaign's holdout, once each: by the day and the arm of their first run that names one, with what they bought
 * from then on within the campaign's window, whatever was sent to them. What `countArms` in core/campaign-performance.ts says, summed up.
 * Reads the tables `runs` and `windows` of the transaction. Answers how many rows there are.
 */
export async function insertArms(tx: Transaction, clientId: string, timeZone: string): Promise<number> {
  await tx.execute(sql`delete from analytics.campaign_arms where client_id = ${clientId}`);
  const inserted = await tx.execute(sql`
    with members as materialized (
      select campaign_id, person, min(entered_at) as entered_at,
        case when bool_and(arm = 'holdout') then 'holdout' when bool_or(arm = 'holdout') then 'mixed' else 'treated' end as arm
      from runs where arm is not null group by 1, 2
    ), bought as materialized (
      select member.campaign_id, member.person, purchase.currency, sum(purchase.revenue_minor) as minor
      from members member join windows using (campaign_id)
      join analytics.purchases purchase on purchase.client_id = ${clientId} and purchase.person = member.person
        and purchase.at >= member.entered_at and purchase.at < member.entered_at + windows.length
      group by 1, 2, 3
    ), dated as (
      select campaign_id, person, arm, (entered_at at time zone ${timeZone}::text)::date as day from members
    ), earned as (
      select campaign_id, day, arm, jsonb_object_agg(currency, jsonb_build_object('minor', minor, 'squares', squares)) as revenue
      from (
        select campaign_id, day, arm, currency, sum(minor) as minor, sum(minor::float8 ^ 2) as squares
        from bought join dated using (campaign_id, person) where currency <> '' group by 1, 2, 3, 4
      ) by_currency group by 1, 2, 3
    ), counted as (
      select campaign_id, day, arm, count(*) as persons, count(is_buyer) as buyers
      from dated left join (select distinct campaign_id, person, true as is_buyer from bought) buyers using (campaign_id, person) group by 1, 2, 3
    )
    insert into analytics.campaign_arms (client_id, campaign_id, day, arm, persons, buyers, revenue)
    select ${clientId}, campaign_id, day, arm, persons, buyers, coalesce(revenue, '{}')
    from counted left join earned using (campaign_id, day, arm)`);
  return inserted.count;
}
