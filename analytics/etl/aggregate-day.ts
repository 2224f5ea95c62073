import { sql } from "drizzle-orm";

import { boundsOfDay } from "../../core/calendar-day.ts";
import { findClient, listPartitions } from "./book.ts";
import { bookBuild } from "./book-build.ts";
import { type EtlDeps, query } from "./deps.ts";
import { createEventsView } from "./events-view.ts";
import { deriveAggregates } from "./derive-aggregates.ts";
import { buildFunnels } from "./funnels/build-funnels.ts";
import { insertRows } from "./insert-rows.ts";
import type { DayPlan } from "./plan-days.ts";
import { DAILY_AGGREGATES } from "./registry.ts";

/** Replaces a day's rows of each aggregate that is stale, with where they are from, in one transaction for each. */
export async function aggregateDay(deps: EtlDeps, clientId: string, plan: DayPlan): Promise<void> {
  const client = await findClient(deps.ctx.db, clientId);
  const [fromMs, toMs] = boundsOfDay(plan.timeZone, plan.day);
  const where = `epoch_ms(timestamp) >= ${fromMs} AND epoch_ms(timestamp) < ${toMs}`;
  const { day, sources, hours } = plan;
  await deps.warehouse.use(async (connection) => {
    if (hours.length > 0) await createEventsView(deps.lake, connection, { client, hours, where });
    for (const { name, digest } of plan.stale) {
      const aggregate = DAILY_AGGREGATES.find((one) => one.name === name);
      if (aggregate === undefined) continue;
      const rows = hours.length === 0 ? [] : await query(connection, aggregate.select);
      await deps.ctx.db.transaction(async (tx) => {
        const table = sql`analytics.${sql.identifier(name)}`;
        await tx.execute(sql`delete from ${table} where client_id = ${clientId} and day = ${day}`);
        await insertRows(tx, { name, keys: { client_id: clientId, day }, columns: aggregate.columns, rows });
        await bookBuild(tx, { client_id: clientId, aggregate: name, day, digest, sources, rows: rows.length });
      });
    }
  });
}

/** Those that are not of a day. None, while an hour is held back. Answers how many have changed. */
export async function aggregateWhole(deps: EtlDeps, clientId: string): Promise<number> {
  const { db } = deps.ctx;
  const all = await listPartitions(db, clientId);
  if (all.length === 0 || all.some((hour) => hour.state !== "built")) return 0;
  const funnels = await buildFunnels(deps, clientId, all);
  return funnels + (await deriveAggregates(db, clientId, Date.now()));
}
