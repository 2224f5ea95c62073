import { sql } from "drizzle-orm";

import type { Transaction } from "../../../platform/postgres/tenant.ts";

/**
 * Messages by campaign, day and channel, with what is attributed to them: a purchase belongs to the message that its person was sent
 * last, of all campaigns, within that campaign's window. One that came back, or was never taken, is none. Reads the tables `runs` and
 * `windows` of the transaction. Answers how many rows there are.
 */
export async function insertMessages(tx: Transaction, clientId: string, timeZone: string): Promise<number> {
  await tx.execute(sql`delete from analytics.campaign_performance where client_id = ${clientId}`);
  const inserted = await tx.execute(sql`
    with messages as materialized (
      select message.id, message.campaign_id, message.channel, message.state, coalesce(message.reason, '') as reason,
        message.opened_at, message.clicked_at, run.person,
        (message.created_at at time zone ${timeZone}::text)::date as day,
        (select min((entry ->> 'at')::timestamptz) from jsonb_array_elements(message.history) entry
          where entry ->> 'state' in ('submitted', 'delivered', 'opened', 'clicked')) as sent_at
      from deliveries message join runs run on run.id = message.run_id where message.client_id = ${clientId}
    ), attributed as (
      select distinct on (purchase.day, purchase.event_id)
        message.id, purchase.currency, purchase.revenue_minor
      from analytics.purchases purchase
      join messages message on message.person = purchase.person and message.state <> 'failed' and message.sent_at <= purchase.at
      join windows on windows.campaign_id = message.campaign_id and purchase.at < message.sent_at + windows.length
      where purchase.client_id = ${clientId}
      order by purchase.day, purchase.event_id, message.sent_at desc, message.id::text collate "C" desc
    ), earned as (
      select campaign_id, day, channel, sum(orders)::int as orders,
        coalesce(jsonb_object_agg(currency, minor) filter (where currency <> ''), '{}') as revenue
      from (
        select campaign_id, day, channel, currency, count(*) as orders, sum(revenue_minor) as minor
        from attributed join messages using (id) group by 1, 2, 3, 4
      ) by_currency group by 1, 2, 3
    ), reasons as (
      select campaign_id, day, channel, jsonb_object_agg(state, counts) as reasons from (
        select campaign_id, day, channel, state, jsonb_object_agg(reason, count) as counts from (
          select campaign_id, day, channel, state, reason, count(*) from messages
          where state in ('failed', 'skipped') group by 1, 2, 3, 4, 5
        ) by_reason group by 1, 2, 3, 4
      ) by_state group by 1, 2, 3
    ), counted as (
      select campaign_id, day, channel, count(*) as messages, count(sent_at) as sent,
        count(*) filter (where state = 'delivered') as delivered, count(opened_at) as opened, count(clicked_at) as clicked,
        count(*) filter (where state = 'failed') as failed, count(*) filter (where state = 'unknown') as unknown,
        count(*) filter (where state = 'skipped') as skipped,
        count(*) filter (where state in ('reserved', 'submitting')) as under_way
      from messages group by 1, 2, 3
    )
    insert into analytics.campaign_performance
      (client_id, campaign_id, day, channel, messages, sent, delivered, opened, clicked, failed, unknown, skipped, under_way,
        reasons, attributed_orders, attributed_revenue)
    select ${clientId}, campaign_id, day, channel, messages, sent, delivered, opened, clicked, failed, unknown, skipped, under_way,
      coalesce(reasons, '{}'), coalesce(orders, 0), coalesce(revenue, '{}')
    from counted left join reasons using (campaign_id, day, channel) left join earned using (campaign_id, day, channel)`);
  return inserted.count;
}
