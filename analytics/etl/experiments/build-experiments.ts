import { and, eq, inArray } from "drizzle-orm";

import type { CountedExperiment } from "../../../core/experiment/count-experiment.ts";
import { builds, experimentDaily, experiments } from "../../../platform/postgres/schema.ts";
import type { AggregateColumns } from "../aggregate.ts";
import { findClient, type PartitionRow, startOf } from "../book.ts";
import { bookBuild, NO_DAY, sourcesOf } from "../book-build.ts";
import { type EtlDeps, query, type Row } from "../deps.ts";
import { createEventsView } from "../events-view.ts";
import { insertRows } from "../insert-rows.ts";
import { readTimeZone } from "../../read-time-zone.ts";
import { digestOf } from "../plan-days.ts";
import { HOUR_MS } from "../../../core/time.ts";
import { countExperimentSql } from "./count-sql.ts";

const TABLE = "experiment_daily";
/** Another one counts all experiments anew. */
const VERSION = 1;
const COLUMNS: AggregateColumns = {
  day: "date",
  variant: "text",
  kind: "text",
  currency: "text",
  persons: "bigint",
  converted: "bigint",
  revenue_minor: "bigint",
  revenue_squares: "float8",
};

/**
 * Counts each experiment of which an hour, from its start to the end of the last window, is another than it was counted from: a late
 * event changes the experiments that it falls into, and one that is long over costs nothing. Replaces its rows in one transaction
 * with where they are from. Answers how many were counted.
 */
export async function buildExperiments(
  deps: EtlDeps,
  clientId: string,
  hours: readonly PartitionRow[],
): Promise<number> {
  const { db } = deps.ctx;
  const all = await db.select().from(experiments).where(eq(experiments.client_id, clientId));
  if (all.length === 0) return 0;
  const timeZone = await readTimeZone(db, clientId);
  const known = await db
    .select()
    .from(builds)
    .where(
      and(
        eq(builds.client_id, clientId),
        inArray(
          builds.aggregate,
          all.map((row) => nameOf(row.id)),
        ),
      ),
    );
  let counted = 0;
  for (const row of all) {
    const experiment = toCounted(row);
    const within = hours.filter(({ partition }) => isWithin(experiment, startOf(partition)));
    const sources = sourcesOf(within);
    const digest = digestOf(sources, JSON.stringify([TABLE, VERSION, timeZone, experiment]));
    if (known.find(({ aggregate }) => aggregate === nameOf(row.id))?.digest === digest) continue;
    const rows = within.length === 0 ? [] : await count(deps, clientId, within, experiment, timeZone);
    await db.transaction(async (tx) => {
      const isOurs = and(eq(experimentDaily.client_id, clientId), eq(experimentDaily.experiment_id, row.id));
      await tx.delete(experimentDaily).where(isOurs);
      const keys = { client_id: clientId, experiment_id: row.id };
      await insertRows(tx, { name: TABLE, keys, columns: COLUMNS, rows });
      const build = { client_id: clientId, aggregate: nameOf(row.id), day: NO_DAY, digest, sources, rows: rows.length };
      await bookBuild(tx, build);
    });
    counted++;
  }
  return counted;
}

async function count(
  deps: EtlDeps,
  clientId: string,
  hours: readonly PartitionRow[],
  experiment: CountedExperiment,
  timeZone: string,
): Promise<Row[]> {
  const client = await findClient(deps.ctx.db, clientId);
  return deps.warehouse.use(async (connection) => {
    await createEventsView(deps.lake, connection, { client, hours });
    return query(connection, countExperimentSql(experiment, timeZone));
  });
}

/** As it is called in `builds`. */
function nameOf(id: string): string {
  return `${TABLE}:${id}`;
}

function toCounted(row: typeof experiments.$inferSelect): CountedExperiment {
  const { id, variants, metric, window_ms } = row;
  return {
    id,
    variants: variants.map((one) => one.name),
    metric: { event_type: metric.event_type, conditions: metric.conditions },
    window_ms,
    started_at: Date.parse(row.started_at),
    ended_at: row.ended_at === null ? null : Date.parse(row.ended_at),
  };
}

function isWithin({ started_at, ended_at, window_ms }: CountedExperiment, hourMs: number): boolean {
  return hourMs + HOUR_MS > started_at && (ended_at === null || hourMs < ended_at + window_ms);
}
