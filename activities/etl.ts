import { Context as ActivityContext } from "@temporalio/activity";
import { and, eq, sql } from "drizzle-orm";

import { checkRun } from "../analytics/etl/check-run.ts";
import type { EtlDeps } from "../analytics/etl/deps.ts";
import { publishRun } from "../analytics/etl/publish-run.ts";
import {
  countHours,
  curatePage,
  daysPage,
  linksStep,
  repeatsStep,
  stagePage,
  type StepOptions,
  verifyPage,
  withClientLock,
} from "../analytics/etl/steps.ts";
import { type EtlActivities, type EtlScope, NO_PROGRESS } from "../core/contracts/etl.ts";
import { addChecks } from "../core/etl-check.ts";
import type { Warehouse } from "../platform/warehouse/duckdb.ts";
import { etlRuns } from "../platform/postgres/schema.ts";

const HEARTBEAT_MS = 5_000;

export type EtlActivityDeps = Omit<EtlDeps, "warehouse"> & {
  /** One for each page: between them its memory is free. */
  openWarehouse(): Warehouse;
  /** Hours or days that are done in one activity. */
  pageSize: number;
};

export function createEtlActivities(deps: EtlActivityDeps): EtlActivities {
  const { db, log } = deps.ctx;
  return {
    async beginRun({ client_id, run_id, start, end, rebuild, workflow_id }) {
      const row = { id: run_id, client_id, workflow_id, start_at: start, end_at: end, rebuild, progress: NO_PROGRESS };
      await db
        .insert(etlRuns)
        .values({ ...row, actor: "schedule", request_id: workflow_id })
        .onConflictDoNothing();
      return atWork(client_id, (etl) =>
        countHours(etl, {
          client_id,
          run_id,
          ...(start && { start }),
          ...(end && { end }),
          ...(rebuild && { rebuild }),
        }),
      );
    },
    verifyHours: (input) => atWork(input.client_id, (etl, options) => verifyPage(etl, input, options)),
    stageIds: (input) => atWork(input.client_id, (etl, options) => stagePage(etl, input, options)),
    settleRepeats: (scope) => atWork(scope.client_id, (etl) => repeatsStep(etl, scope)),
    curatePartitions: (input) => atWork(input.client_id, (etl, options) => curatePage(etl, input, options)),
    settleLinks: (scope) => atWork(scope.client_id, (etl) => linksStep(etl, scope)),
    aggregateDays: (input) => atWork(input.client_id, (etl, options) => daysPage(etl, input, options)),
    publish: (scope) =>
      atWork(scope.client_id, async (etl) =>
        addChecks(await publishRun(etl, scope), await checkRun(etl, scope.client_id)),
      ),
    async endRun({ client_id, run_id, state, progress, checks }) {
      if (state === "running" || state === "paused") return;
      const failed = checks.filter((check) => check.state === "failed");
      if (failed.length > 0) log.error({ client_id, run_id, failed }, "checks of the data have failed");
      await db
        .update(etlRuns)
        .set({ state, progress, checks, ended_at: sql`now()` })
        .where(and(eq(etlRuns.id, run_id), eq(etlRuns.client_id, client_id)));
    },
  };

  /** Heartbeats while it lasts, however long one statement takes; given up between steps where the run was cancelled. */
  async function atWork<T>(
    clientId: EtlScope["client_id"],
    work: (etl: EtlDeps, options: StepOptions) => Promise<T>,
  ): Promise<T> {
    const activity = ActivityContext.current();
    const warehouse = deps.openWarehouse();
    const timer = setInterval(() => activity.heartbeat(), HEARTBEAT_MS);
    const etl = { ctx: deps.ctx, lake: deps.lake, warehouse };
    const options = { limit: deps.pageSize, onStep: () => activity.cancellationSignal.throwIfAborted() };
    try {
      return await withClientLock(etl, clientId, () => work(etl, options));
    } finally {
      clearInterval(timer);
      await warehouse.close();
    }
  }
}
