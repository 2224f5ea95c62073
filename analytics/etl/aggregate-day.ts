import { sql } from "drizzle-orm";

import { boundsOfDay } from "../../core/calendar-day.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { findClient, listPartitions } from "./book.ts";
import { bookBuild } from "./book-build.ts";
import { type Attempt, insist } from "./attempt-build.ts";
import { type EtlDeps, queryPages } from "./deps.ts";
import { createEventsView } from "./events-view.ts";
import { deriveAggregates } from "./derive-aggregates.ts";
import { buildCampaigns } from "./campaigns/build-campaigns.ts";
import { buildExperiments } from "./experiments/build-experiments.ts";
import { buildFunnels } from "./funnels/build-funnels.ts";
import { insertRows } from "./insert-rows.ts";
import type { DayPlan } from "./plan-days.ts";
import { DAILY_AGGREGATES } from "./registry.ts";

/** Replaces a day's rows of each aggregate that is stale, with where they are from, in one transaction for each. */
export async function aggregateDay(
  deps: EtlDeps,
  clientId: string,
  plan: DayPlan,
  attempt: Attempt = insist,
): Promise<void> {
  const client = await findClient(deps.ctx.db, clientId);
  const [fromMs, toMs] = boundsOfDay(plan.timeZone, plan.day);
  const where = `epoch_ms(timestamp) >= ${fromMs} AND epoch_ms(timestamp) < ${toMs}`;
  const { day, sources, hours } = plan;
  await deps.warehouse.use(async (connection) => {
    const view = () => createEventsView(deps.lake, connection, { client, hours, where });
    if (hours.length > 0 && !(await attempt(`the events of ${day}`, view))) return;
    for (const { name, digest } of plan.stale) {
      const aggregate = DAILY_AGGREGATES.find((one) => one.name === name);
      if (aggregate === undefined) continue;
      const { columns, select } = aggregate;
      const build = async (tx: Transaction) => {
        const table = sql`analytics.${sql.identifier(name)}`;
        await tx.execute(sql`delete from ${table} where client_id = ${clientId} and day = ${day}`);
        let count = 0;
        for await (const rows of hours.length === 0 ? [] : queryPages(connection, select)) {
          await insertRows(tx, { name, keys: { client_id: clientId, day }, columns, rows });
          count += rows.length;
        }
        await bookBuild(tx, { client_id: clientId, aggregate: name, day, digest, sources, rows: count });
      };
      await attempt(`${name} of ${day}`, () => deps.ctx.db.transaction(build));
    }
  });
}

/** Those that are not of a day. None, while an hour is held back. Answers how many have changed. */
export async function aggregateWhole(deps: EtlDeps, clientId: string, attempt: Attempt = insist): Promise<number> {
  const { db } = deps.ctx;
  const all = await listPartitions(db, clientId);
  if (all.length === 0 || all.some((hour) => hour.state !== "built")) return 0;
  let changed = 0;
  await attempt("funnels", async () => void (changed += await buildFunnels(deps, clientId, all)));
  await attempt("experiments", async () => void (changed += await buildExperiments(deps, clientId, all)));
  await attempt("campaigns", async () => void (changed += await buildCampaigns(deps, clientId, all)));
  return changed + (await deriveAggregates(db, clientId, Date.now(), attempt));
}
