import { and, eq } from "drizzle-orm";

import type { EtlScope } from "../../core/contracts/etl.ts";
import { etlRuns } from "../../platform/postgres/schema.ts";
import { aggregateWhole } from "./aggregate-day.ts";
import { changeClient } from "./book.ts";
import type { EtlDeps } from "./deps.ts";

/** What is said on it: a client's aggregates are others than before. */
const PUBLISHED_CHANNEL = "livora:etl:published";

/**
 * What is not of days, and then: everything that had come in before the run began is in the aggregates. A run over some hours alone
 * does not say so. Caches are told; where Redis is away they find out by themselves when their time is over.
 */
export async function publishRun(deps: EtlDeps, { client_id, run_id, start, end }: EtlScope): Promise<void> {
  await aggregateWhole(deps, client_id);
  const { db, redis, log } = deps.ctx;
  const where = and(eq(etlRuns.id, run_id), eq(etlRuns.client_id, client_id));
  const run = await db.query.etlRuns.findFirst({ where });
  if (run !== undefined && start === undefined && end === undefined) {
    await changeClient(db, client_id, { as_of: run.created_at });
  }
  await redis
    .publish(PUBLISHED_CHANNEL, client_id)
    .catch((error: Error) => log.warn({ err: error.message }, "nobody told"));
}
