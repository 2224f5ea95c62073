import { sql } from "drizzle-orm";

import type { EtlCheck, EtlPage, EtlPageInput, EtlScope } from "../../core/contracts/etl.ts";
import { AppError } from "../../core/errors.ts";
import { addChecks, summariseChecks } from "../../core/etl-check.ts";
import { inParallel } from "../../platform/in-parallel.ts";
import { aggregateDay } from "./aggregate-day.ts";
import { createAttempts } from "./attempt-build.ts";
import { listNewHours, listPartitions, listStaleHours } from "./book.ts";
import { disturbUnexplained } from "./check-audits.ts";
import { curatePartition } from "./curate-partition.ts";
import type { EtlDeps } from "./deps.ts";
import { planDays } from "./plan-days.ts";
import { settleLinks } from "./settle-links.ts";
import { settleRepeats } from "./settle-repeats.ts";
import { stageIds } from "./stage-ids.ts";
import { verifyClient, verifyHour } from "./verify-hours.ts";

/** Enough to count with. */
const MANY = 1_000_000;

/** A small hour alone keeps one thread busy. */
const HOURS_AT_ONCE = 2;
/** While PostgreSQL takes the one's rows, the next one's are computed. */
const DAYS_AT_ONCE = 2;

/** What was built long ago is looked at in larger pages: most of it is as it was. */
const VERIFIED_AT_ONCE = 10;

/** Steps are pages of this many hours or days: between them a run may be paused. `onStep` hears of each. */
export interface StepOptions {
  limit: number;
  onStep(): void;
}

export const PAGE: StepOptions = { limit: 24, onStep() {} };

/** Hours that are not up to date. */
export async function countHours(deps: EtlDeps, scope: EtlScope): Promise<number> {
  const { db } = deps.ctx;
  const fresh = await listNewHours(db, scope, { limit: MANY });
  const stale = await listStaleHours(db, scope, { limit: MANY });
  return new Set([...fresh, ...stale].map((hour) => hour.partition)).size;
}

export async function verifyPage(
  deps: EtlDeps,
  { after = "", client_id }: EtlPageInput,
  options = PAGE,
): Promise<EtlPage> {
  const limit = options.limit * VERIFIED_AT_ONCE;
  const all = (await listPartitions(deps.ctx.db, client_id)).filter(({ partition }) => partition > after);
  const page = await doAll(
    all.slice(0, limit),
    (hour) => hour.partition,
    { ...options, limit },
    async (hour) => summariseChecks(hour.partition, await verifyHour(deps, client_id, hour)),
  );
  if (page.after !== null) return page;
  return { ...page, checks: addChecks(page.checks, summariseChecks("all hours", await verifyClient(deps, client_id))) };
}

export async function stagePage(deps: EtlDeps, { after, ...scope }: EtlPageInput, options = PAGE): Promise<EtlPage> {
  const hours = await listNewHours(deps.ctx.db, scope, { ...(after && { after }), limit: options.limit });
  return doAll(
    hours,
    (hour) => hour.partition,
    options,
    async (hour) => {
      const failed = await stageIds(deps, scope, hour);
      return failed === undefined ? [] : summariseChecks(hour.partition, [failed]);
    },
    HOURS_AT_ONCE,
  );
}

/** Answers how many hours are to be built. */
export async function repeatsStep(deps: EtlDeps, scope: EtlScope): Promise<number> {
  await settleRepeats(deps, scope.client_id);
  await disturbUnexplained(deps.ctx.db, scope.client_id);
  return (await listStaleHours(deps.ctx.db, scope, { limit: MANY })).length;
}

export async function curatePage(deps: EtlDeps, { after, ...scope }: EtlPageInput, options = PAGE): Promise<EtlPage> {
  const hours = await listStaleHours(deps.ctx.db, scope, { ...(after && { after }), limit: options.limit });
  return doAll(
    hours,
    (hour) => hour.partition,
    options,
    async (hour) => summariseChecks(hour.partition, await curatePartition(deps, scope, hour)),
    HOURS_AT_ONCE,
  );
}

/** Answers how many days are to be computed. */
export async function linksStep(deps: EtlDeps, scope: EtlScope): Promise<number> {
  await settleLinks(deps, scope.client_id);
  return (await planDays(deps.ctx.db, scope)).length;
}

export async function daysPage(
  deps: EtlDeps,
  { after = "", ...scope }: EtlPageInput,
  options = PAGE,
): Promise<EtlPage> {
  const plans = (await planDays(deps.ctx.db, scope)).filter(({ day }) => day > after).slice(0, options.limit);
  return doAll(
    plans,
    (plan) => plan.day,
    options,
    async (plan) => {
      const { attempt, checks } = createAttempts();
      await aggregateDay(deps, scope.client_id, plan, attempt);
      return checks();
    },
    DAYS_AT_ONCE,
  );
}

/** One client's work at a time: a Schedule's run and one that was asked for take turns. Throws `conflict` where it is another's turn. */
export function withClientLock<T>({ ctx }: EtlDeps, clientId: string, work: () => Promise<T>): Promise<T> {
  return ctx.db.transaction(async (lock) => {
    const [row] = await lock.execute(
      sql`select pg_try_advisory_xact_lock(hashtextextended(${`etl:${clientId}`}, 0)) as held`,
    );
    if (row?.["held"] !== true) throw new AppError("conflict", "another run is at work for this client");
    return work();
  });
}

/** What has begun is waited for, also after a failure: nothing goes on behind the back of who has been told of it. */
async function doAll<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { limit, onStep }: StepOptions,
  work: (item: T) => Promise<EtlCheck[]>,
  atOnce = 1,
): Promise<EtlPage> {
  const found: EtlCheck[][] = [];
  const failures: unknown[] = [];
  await inParallel([...items.entries()], atOnce, async ([nth, item]) => {
    if (failures.length > 0) return;
    try {
      found[nth] = await work(item);
      onStep();
    } catch (error) {
      failures.push(error);
    }
  });
  if (failures.length > 0) throw failures[0];
  const last = items.at(-1);
  const after = items.length === limit && last !== undefined ? keyOf(last) : null;
  return { done: items.length, after, checks: found.reduce(addChecks, []) };
}
