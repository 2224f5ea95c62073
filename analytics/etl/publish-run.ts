import { and, eq } from "drizzle-orm";

import type { EtlCheck, EtlScope } from "../../core/contracts/etl.ts";
import { hasFailedBuild } from "../../core/etl-check.ts";
import { forgetCached } from "../../platform/cache.ts";
import { etlRuns } from "../../platform/postgres/schema.ts";
import { aggregateWhole } from "./aggregate-day.ts";
import { createAttempts } from "./attempt-build.ts";
import { changeClient } from "./book.ts";
import type { EtlDeps } from "./deps.ts";

/**
 * What is not of days, and then: everything that had come in before the run began is in the aggregates. A run over some hours alone
 * does not say so, nor does one that could not build something. Nothing counts any more that was cached before; where Redis is away the
 * activity is tried again.
 */
export async function publishRun(
  deps: EtlDeps,
  { client_id, run_id, start, end, is_partial = false }: EtlScope & { is_partial?: boolean },
): Promise<EtlCheck[]> {
  const { attempt, checks } = createAttempts();
  await aggregateWhole(deps, client_id, attempt);
  const { db, redis } = deps.ctx;
  const where = and(eq(etlRuns.id, run_id), eq(etlRuns.client_id, client_id));
  const run = await db.query.etlRuns.findFirst({ where });
  const isWhole = start === undefined && end === undefined;
  if (run !== undefined && isWhole && !is_partial && !hasFailedBuild(checks())) {
    await changeClient(db, client_id, { as_of: run.created_at });
  }
  await forgetCached(redis, client_id);
  return checks();
}
