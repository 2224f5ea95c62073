import { readdir, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";

import { and, eq, like, sql } from "drizzle-orm";

import type { Funnel } from "../../../core/funnel.ts";
import { REGISTERED_FUNNELS } from "../../../core/registered-funnels.ts";
import { builds } from "../../../platform/postgres/schema.ts";
import type { Transaction } from "../../../platform/postgres/tenant.ts";
import type { DuckDBConnection } from "../../../platform/warehouse/duckdb.ts";
import { findClient, type PartitionRow } from "../book.ts";
import { bookBuild, NO_DAY, sourcesOf } from "../book-build.ts";
import { entriesFile } from "../curated-files.ts";
import { type EtlDeps, query } from "../deps.ts";
import { createEventsView } from "../events-view.ts";
import { insertRows } from "../insert-rows.ts";
import { readTimeZone } from "../../read-time-zone.ts";
import { digestOf } from "../plan-days.ts";
import { stagePairs } from "./stage-pairs.ts";
import { isWithin, planEntries } from "./plan-entries.ts";
import { type EntriesDay, settleEntries } from "./settle-entries.ts";
import { FUNNEL_GRAINS, type FunnelGrain, type StaleBuckets } from "./stale-buckets.ts";

const FUNNEL_HOURLY = "funnel_hourly";
/** Another one computes all of it anew. */
const VERSION = 2;
const COLUMNS = {
  grain: "text",
  step: "integer",
  entered: "timestamptz",
  entered_before: "timestamptz",
  units: "bigint",
} as const;

interface Building {
  clientId: string;
  name: string;
  funnel: Funnel;
  timeZone: string;
  hours: readonly PartitionRow[];
  days: readonly EntriesDay[];
}

/**
 * Brings `funnel_hourly` up to date. Of each registered funnel a file for each UTC day says who entered when and how far they came; days
 * with other events than before, in themselves or within the window after them, are written anew, and only the hours and days that
 * change with them are replaced, in one transaction with the book. Answers how many funnels have changed.
 */
export async function buildFunnels(deps: EtlDeps, clientId: string, hours: readonly PartitionRow[]): Promise<number> {
  const { db } = deps.ctx;
  const timeZone = await readTimeZone(db, clientId);
  const hashes = await readHashVersion(deps);
  const mine = and(eq(builds.client_id, clientId), like(builds.aggregate, `${aggregateOf("")}%`));
  const booked = await db.select().from(builds).where(mine);
  let changed = 0;
  for (const { name, funnel } of REGISTERED_FUNNELS) {
    const known = booked.filter((row) => row.aggregate === aggregateOf(name));
    const what = `${name} ${VERSION} ${timeZone} ${hashes}`;
    const days = planEntries({ hours, funnel, known: new Map(known.map((row) => [row.day, row.digest])), what });
    if (days.every((day) => day.digest === (day.known ?? ""))) continue;
    await buildFunnel(deps, { clientId, name, funnel, timeZone, hours, days });
    changed++;
  }
  const sources = sourcesOf(hours);
  const digest = digestOf(sources, `${FUNNEL_HOURLY} ${VERSION} ${timeZone}`);
  const whole = { client_id: clientId, aggregate: FUNNEL_HOURLY, day: NO_DAY };
  if (changed > 0) await db.transaction((tx) => bookBuild(tx, { ...whole, digest, sources, rows: 0 }));
  return changed;
}

/** A unit is kept as DuckDB's hash of it, which another DuckDB may make another way. */
async function readHashVersion({ warehouse }: EtlDeps): Promise<string> {
  return warehouse.use(async (connection) => {
    const [row] = await query(connection, "SELECT hash('livora') AS hash");
    return String(row!["hash"]);
  });
}

async function buildFunnel(deps: EtlDeps, of: Building): Promise<void> {
  const { clientId, name, funnel, timeZone, hours, days } = of;
  const client = await findClient(deps.ctx.db, clientId);
  const pathOf = (day: string, digest: string) => entriesFile(clientId, { funnel: name, day, digest });
  await deps.warehouse.use(async (connection) => {
    const stale = await settleEntries({
      lake: deps.lake,
      connection,
      funnel,
      timeZone,
      days,
      pathOf,
      async readEvents(range) {
        const read = hours.filter(({ partition }) => isWithin(partition, range));
        await createEventsView(deps.lake, connection, { client, hours: read });
        return "events";
      },
    });
    await deps.ctx.db.transaction(async (tx) => {
      for (const grain of FUNNEL_GRAINS) await replacePairs(tx, connection, { ...of, grain, stale });
      for (const { day, digest, known, sources } of days) {
        if (digest === (known ?? "")) continue;
        await bookBuild(tx, { client_id: clientId, aggregate: aggregateOf(name), day, digest, sources, rows: 0 });
      }
    });
  });
  for (const { day, digest, known } of days) {
    if (known !== undefined && known !== digest) await removeOthers(deps, pathOf(day, digest || known), digest !== "");
  }
}

async function replacePairs(
  tx: Transaction,
  connection: DuckDBConnection,
  { clientId, name, funnel, grain, stale }: Building & { grain: FunnelGrain; stale: StaleBuckets },
): Promise<void> {
  const { pairs, oldest } = await stagePairs(connection, { funnel, grain, stale: stale[grain] });
  await tx.execute(sql`
    delete from analytics.funnel_hourly where client_id = ${clientId} and funnel = ${name} and grain = ${grain} and (
      entered < ${oldest}::timestamptz
      or entered in (select jsonb_array_elements_text(${JSON.stringify(stale[grain])}::text::jsonb)::timestamptz))`);
  const keys = { client_id: clientId, funnel: name };
  const found = await connection.stream(pairs);
  for await (const rows of found.yieldRowObjectJson()) {
    await insertRows(tx, { name: FUNNEL_HOURLY, keys, columns: COLUMNS, rows });
  }
}

/** Of a day's files only the one that counts stays. */
async function removeOthers({ lake }: EtlDeps, path: string, isKept: boolean): Promise<void> {
  const folder = dirname(lake.absolute(path));
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!isKept || name !== basename(path)) await rm(`${folder}/${name}`, { force: true });
  }
}

/** In the book of builds: of each UTC day, what its entries are made of. */
function aggregateOf(funnel: string): string {
  return `funnel_entries:${funnel}`;
}
