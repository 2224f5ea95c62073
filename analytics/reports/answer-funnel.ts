import { z } from "zod";

import { type Funnel, funnelSchema } from "../../core/funnel.ts";
import { parse } from "../../core/parse.ts";
import { HOUR_MS } from "../../core/time.ts";
import { type DuckDBConnection, quote } from "../../platform/warehouse/duckdb.ts";
import { findClient, listPartitions, startOf } from "../etl/book.ts";
import { type EtlDeps, query } from "../etl/deps.ts";
import { createEventsView } from "../etl/events-view.ts";
import { readTimeZone } from "../read-time-zone.ts";
import { describeFunnel, type FunnelReport, type FunnelUnits } from "./funnel.ts";
import { countFunnelSql, type FunnelRange } from "./funnel-sql.ts";

/** As a question carries it; moments in epoch milliseconds. */
const questionSchema = z.strictObject({ funnel: funnelSchema, start: z.int(), end: z.int() });

/** Works a funnel out over the curated lake: any steps, conditions, groups and range. */
export async function answerFunnel(deps: EtlDeps, clientId: string, params: unknown): Promise<FunnelReport> {
  const { funnel, ...range } = parse(questionSchema, params, "question");
  const units = await countUnits(deps, clientId, funnel, range);
  return deps.ctx.db.transaction((tx) => describeFunnel(tx, clientId, funnel, units));
}

async function countUnits(
  { ctx, lake, warehouse }: EtlDeps,
  clientId: string,
  funnel: Funnel,
  range: FunnelRange,
): Promise<FunnelUnits> {
  const built = (await listPartitions(ctx.db, clientId)).filter(({ version }) => version > 0);
  // When somebody was there for the first time is told by all hours.
  const isByCohort = funnel.group_by === "cohort";
  const hours = built.filter(({ partition }) => isByCohort || isWithin(startOf(partition), funnel, range));
  if (hours.length === 0) return { steps: funnel.steps.map(() => 0), groups: [] };
  const client = await findClient(ctx.db, clientId);
  const timeZone = await readTimeZone(ctx.db, clientId);
  return warehouse.use(async (connection) => {
    await createEventsView(lake, connection, { client, hours });
    const events = isByCohort ? await joinCohorts(connection, timeZone) : "events";
    const [total] = await query(connection, countFunnelSql({ ...funnel, group_by: undefined }, events, range));
    const groups = funnel.group_by === undefined ? [] : await query(connection, countFunnelSql(funnel, events, range));
    return { steps: stepsOf(funnel, total!), groups: groups.map((row) => groupOf(funnel, row)).toSorted(byUnits) };
  });
}

function isWithin(startsAtMs: number, { window_ms }: Funnel, { start, end }: FunnelRange): boolean {
  return startsAtMs + HOUR_MS > start && startsAtMs <= end + window_ms;
}

/** The month in which each person was seen first. */
async function joinCohorts(connection: DuckDBConnection, timeZone: string): Promise<string> {
  await connection.run(`
    CREATE OR REPLACE TEMP TABLE cohorts AS
    SELECT person, strftime(date_trunc('month', timezone(${quote(timeZone)}, timezone('UTC', min(timestamp)))), '%Y-%m-%d') AS cohort
    FROM events GROUP BY person`);
  return "(SELECT events.*, cohort FROM events LEFT JOIN cohorts USING (person))";
}

function stepsOf(funnel: Funnel, row: Record<string, unknown>): number[] {
  return funnel.steps.map((_, nth) => Number(row[`step_${nth + 1}`]));
}

function groupOf(funnel: Funnel, row: Record<string, unknown>): FunnelUnits["groups"][number] {
  return { key: row["key"] as string | null, steps: stepsOf(funnel, row) };
}

function byUnits(a: FunnelUnits["groups"][number], b: FunnelUnits["groups"][number]): number {
  return b.steps[0]! - a.steps[0]! || ((a.key ?? "") < (b.key ?? "") ? -1 : 1);
}
