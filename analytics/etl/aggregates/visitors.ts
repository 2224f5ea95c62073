import { sql } from "drizzle-orm";

import type { Database } from "../../../platform/postgres/database.ts";

/**
 * Replaces the client's visitors: for each day how many persons were there, by the day on which they had been there before. Reads
 * `analytics.person_days` only. Answers how many rows there are.
 */
export async function buildVisitors(db: Database, clientId: string): Promise<number> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`visitors_daily ${clientId}`}, 0))`);
    await tx.execute(sql`delete from analytics.visitors_daily where client_id = ${clientId}`);
    const inserted = await tx.execute(sql`
      insert into analytics.visitors_daily (client_id, day, previous_day, source, country, device, persons)
      select ${clientId}, day, previous_day, source, country, device, count(*)::int from (
        select day, source, country, device,
          lag(day, 1, date '0001-01-01') over (partition by person order by day) as previous_day
        from analytics.person_days where client_id = ${clientId}
      ) seen group by 2, 3, 4, 5, 6`);
    return inserted.count;
  });
}
