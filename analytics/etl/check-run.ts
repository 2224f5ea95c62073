import { sql } from "drizzle-orm";

import type { EtlCheck } from "../../core/contracts/etl.ts";
import { MINUTE_MS } from "../../core/time.ts";
import type { Database } from "../../platform/postgres/database.ts";
import { readRedisTimeMs } from "../../platform/redis-time.ts";
import { readWatermark } from "../../platform/watermark.ts";
import type { EtlDeps } from "./deps.ts";

/** So far behind the lake may be: longer than it lingers, and than a consumer takes to be elsewhere. */
const LATEST_MS = 15 * MINUTE_MS;
const NAMED = 5;

/** What can be told of a client's figures as a whole, once they are built. It holds nothing back. */
export async function checkRun({ ctx }: Pick<EtlDeps, "ctx">, clientId: string): Promise<EtlCheck[]> {
  return [await checkFreshness(ctx.redis), await checkProducts(ctx.db, clientId)];
}

/** Whether what was accepted until shortly before the run had come to the lake. Fails where nobody knows. */
async function checkFreshness(redis: EtlDeps["ctx"]["redis"]): Promise<EtlCheck> {
  const [lakeMs, nowMs] = await Promise.all([readWatermark(redis, "lake"), readRedisTimeMs(redis)]);
  if (lakeMs === 0) return judgeRun("freshness", "nobody knows how far the lake is: its consumer has said nothing yet");
  const minutes = Math.round((nowMs - lakeMs) / MINUTE_MS);
  const isLate = nowMs - lakeMs > LATEST_MS;
  return judgeRun(
    "freshness",
    isLate && `the lake is ${minutes} minutes behind: what came in since then is in no figure`,
  );
}

/** Whether what was bought was ever looked at, or put into a cart; not asked of clients that report purchases alone. */
async function checkProducts(db: Database, clientId: string): Promise<EtlCheck> {
  const [row] = await db.execute<{ unseen: number; seen: number; names: string[] | null }>(sql`
    with products as (select product_id, sum(purchases) as bought, sum(views + add_to_cart) as seen
      from analytics.product_performance_daily where client_id = ${clientId} group by product_id)
    select count(*) filter (where bought > 0 and seen = 0)::int as unseen, count(*) filter (where seen > 0)::int as seen,
      (array_agg(product_id order by product_id) filter (where bought > 0 and seen = 0))[1:${sql.raw(String(NAMED))}] as names
    from products`);
  const { unseen, seen, names } = row ?? { unseen: 0, seen: 0, names: null };
  const isOdd = unseen > 0 && seen > 0;
  return judgeRun("references", isOdd && `${unseen} products were bought and never looked at: ${names?.join(", ")}`);
}

function judgeRun(check: EtlCheck["check"], detail: string | false): EtlCheck {
  return detail === false
    ? { check, state: "passed", partitions: 0, failed: 0, details: [] }
    : { check, state: "failed", partitions: 0, failed: 1, details: [detail] };
}
