import { sql } from "drizzle-orm";

import type { PartitionCheck } from "../../core/etl-check.ts";
import type { Database } from "../../platform/postgres/database.ts";
import { startOf } from "./book.ts";
import { judge } from "./checks.ts";

/**
 * Whether what the edge acknowledged in an hour has come to rest, by the audit's latest word on it: accepted = in the lake + explained.
 * An hour that nobody has audited is not judged. (An event counts in the hour of its receipt; mostly that is its own.)
 */
export async function checkAudits(
  db: Database,
  { clientId, partition }: { clientId: string; partition: string },
): Promise<PartitionCheck> {
  const [latest] = await db.execute<{ unexplained: number; acknowledged: number }>(sql`
    select unexplained::float8 as unexplained, acknowledged::float8 as acknowledged from audits
    where client_id = ${clientId} and hour = ${new Date(startOf(partition)).toISOString()} order by at desc limit 1`);
  const what = `events of ${latest?.acknowledged ?? 0} that the edge accepted are unexplained, says the audit`;
  return judge("completeness", latest?.unexplained ?? 0, what, true);
}

/** Hours that are built, and of which the audit has since found that something is missing: they are to be judged anew. */
export async function disturbUnexplained(db: Database, clientId: string): Promise<void> {
  await db.execute(sql`
    update etl_partitions book set is_disturbed = true
    from (select distinct on (hour) hour, at, unexplained from audits where client_id = ${clientId} order by hour, at desc) audited
    where book.client_id = ${clientId} and book.state = 'built' and audited.unexplained > 0 and audited.at > book.built_at
      and right(book.partition, 21) = to_char(audited.hour at time zone 'utc', '"dt="YYYY-MM-DD"/hour="HH24')
      and not book.checks @> '[{"check": "completeness", "is_accepted": true}]'`);
}
