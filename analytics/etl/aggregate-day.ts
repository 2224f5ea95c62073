import { and, eq, sql } from "drizzle-orm";

import { boundsOfDay } from "../../core/calendar-day.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { builds } from "../../platform/postgres/schema.ts";
import type { AggregateColumns } from "./aggregate.ts";
import { findClient, listPartitions } from "./book.ts";
import { type EtlDeps, query, type Row } from "./deps.ts";
import { createEventsView } from "./events-view.ts";
import { deriveAggregates } from "./derive-aggregates.ts";
import { type DayPlan, digestOf, readTimeZone } from "./plan-days.ts";
import { DAILY_AGGREGATES, WHOLE_AGGREGATES } from "./registry.ts";

const ROWS_PER_STATEMENT = 1_000;
/** Of an aggregate that is not of days. */
const NO_DAY = "0001-01-01";

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

/** Those that are computed from all events, where anything has changed. Answers how many were. */
export async function aggregateWhole(deps: EtlDeps, clientId: string): Promise<number> {
  const { db } = deps.ctx;
  const all = await listPartitions(db, clientId);
  if (all.length === 0 || all.some((hour) => hour.state !== "built")) return 0;
  const timeZone = await readTimeZone(db, clientId);
  const sources = all.map((hour) => [hour.partition, hour.version, hour.people_version] as [string, number, number]);
  const client = await findClient(db, clientId);
  let computed = 0;
  for (const { name, version, columns, compute } of WHOLE_AGGREGATES) {
    const digest = digestOf(sources, `${name} ${version} ${timeZone}`);
    const where = and(eq(builds.client_id, clientId), eq(builds.aggregate, name), eq(builds.day, NO_DAY));
    if ((await db.select().from(builds).where(where))[0]?.digest === digest) continue;
    const rows = await deps.warehouse.use(async (connection) => {
      await createEventsView(deps.lake, connection, { client, hours: all });
      return compute({ connection, timeZone });
    });
    await db.transaction(async (tx) => {
      await tx.execute(sql`delete from analytics.${sql.identifier(name)} where client_id = ${clientId}`);
      await insertRows(tx, { name, keys: { client_id: clientId }, columns, rows });
      await bookBuild(tx, { client_id: clientId, aggregate: name, day: NO_DAY, digest, sources, rows: rows.length });
    });
    computed++;
  }
  return computed + (await deriveAggregates(db, clientId, Date.now()));
}

async function insertRows(
  tx: Transaction,
  { name, keys, columns, rows }: { name: string; keys: Row; columns: AggregateColumns; rows: readonly Row[] },
): Promise<void> {
  const names = Object.keys(columns);
  const types = sql.raw(names.map((column) => `"${column}" ${columns[column]}`).join(", "));
  const list = sql.raw(names.map((column) => `"${column}"`).join(", "));
  const keyNames = sql.raw(Object.keys(keys).join(", "));
  const keyValues = sql.join(
    Object.entries(keys).map(([key, value]) => (key === "day" ? sql`${value}::date` : sql`${value}::text`)),
    sql`, `,
  );
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    const some = JSON.stringify(rows.slice(from, from + ROWS_PER_STATEMENT)).replaceAll("\\u0000", "\\ufffd");
    await tx.execute(sql`insert into analytics.${sql.identifier(name)} (${keyNames}, ${list})
      select ${keyValues}, ${list} from jsonb_to_recordset(${some}::text::jsonb) as row(${types})`);
  }
}

async function bookBuild(tx: Transaction, row: typeof builds.$inferInsert): Promise<void> {
  if (row.digest === "") {
    const mine = and(eq(builds.client_id, row.client_id), eq(builds.aggregate, row.aggregate), eq(builds.day, row.day));
    await tx.delete(builds).where(mine);
    return;
  }
  const values = { ...row, built_at: new Date().toISOString() };
  const target = [builds.client_id, builds.aggregate, builds.day];
  await tx.insert(builds).values(values).onConflictDoUpdate({ target, set: values });
}
