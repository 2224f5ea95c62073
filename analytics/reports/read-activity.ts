import { sql } from "drizzle-orm";

import { addDays, boundsOfDay, daysOfHour } from "../../core/calendar-day.ts";
import { COUNTERS_TTL_DAYS } from "../../core/counters.ts";
import { partitionOf } from "../../core/lake.ts";
import { type Activity, addActivities, type LiveHour, NO_ACTIVITY } from "../../core/live-hour.ts";
import { type HourOfDay, mergeHour } from "../../core/merge-activity.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { readLiveHours } from "../../platform/live-counters.ts";
import type { BuildSource } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import type { UserStore } from "../../platform/user-store.ts";
import { RAW_DIGEST } from "../etl/book.ts";
import { activity as aggregate } from "../etl/aggregates/activity.ts";
import { digestOf } from "../etl/plan-days.ts";
import type { Days } from "./days.ts";

/**
 * So far back the counters are asked. They forget nothing younger than a week; the day between is for clocks that disagree. What comes
 * later than that is counted by the next run of ETL.
 */
const LIVE_MS = (COUNTERS_TTL_DAYS - 1) * DAY_MS;

export interface ReadActivity {
  /** By day; days without any are there, too. */
  days: Map<string, Activity>;
  /** Hours (ISO 8601 UTC) of which events were counted by the stream, oldest first. */
  liveHours: string[];
}

interface ActivityRow extends Omit<Activity, "revenue"> {
  day: string;
  hour_ms: number;
  currency: string;
  revenue_minor: number;
}

interface Hour {
  partition: string;
  version: number;
  /** Its curated file is made of all files that the lake has of it. */
  is_built: boolean;
  rows: number;
}

/** All that PostgreSQL knows, as of one moment: a run of ETL that ends meanwhile changes all of it or nothing. */
interface Snapshot {
  /** By hour as far back as the counters go, before that by day. */
  rows: ActivityRow[];
  hours: Hour[];
  builds: { day: string; digest: string; sources: BuildSource[] }[];
}

export interface ActivityDeps {
  /** Runs something in a transaction that is bound to the client. */
  read: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;
  store: Pick<UserStore, "list" | "read">;
  nowMs: number;
}

/** What went on in each of some days, up to this second: each hour as the aggregates have it, or as the stream has counted it. */
export async function readActivity(deps: ActivityDeps, clientId: string, days: Days): Promise<ReadActivity> {
  const { nowMs } = deps;
  const liveFromMs = Math.floor((nowMs - LIVE_MS) / HOUR_MS) * HOUR_MS;
  const hoursMs = hoursOf(days, liveFromMs, nowMs);
  const snapshot = await deps.read((tx) => readSnapshot(tx, clientId, { days, liveFromMs, hoursMs }));
  const live = await readLiveHours(deps.store, clientId, hoursMs);
  return merge(clientId, days, { snapshot, hoursMs, live });
}

/** Hours that overlap the days and may be counted live. The one after the present may have begun by another clock. */
function hoursOf({ start, end, timeZone }: Days, liveFromMs: number, nowMs: number): number[] {
  const fromMs = Math.max(liveFromMs, Math.floor(boundsOfDay(timeZone, start)[0] / HOUR_MS) * HOUR_MS);
  const toMs = Math.min(nowMs + HOUR_MS, boundsOfDay(timeZone, end)[0]);
  const count = Math.max(0, Math.ceil((toMs - fromMs) / HOUR_MS));
  return Array.from({ length: count }, (_, nth) => fromMs + nth * HOUR_MS);
}

async function readSnapshot(
  tx: Transaction,
  clientId: string,
  { days, liveFromMs, hoursMs }: { days: Days; liveFromMs: number; hoursMs: readonly number[] },
): Promise<Snapshot> {
  const partitions = JSON.stringify(hoursMs.map((ms) => partitionOf(clientId, ms).path));
  const ofDays = sql`client_id = ${clientId} and day >= ${days.start} and day < ${days.end}`;
  const [row] = await tx.execute<Snapshot & Record<string, unknown>>(sql`
    with wanted as (select value as partition from jsonb_array_elements_text(${partitions}::text::jsonb)),
    raw as (
      select partition, ${RAW_DIGEST} as digest, sum(rows)::float8 as rows from lake_files
      where client_id = ${clientId} and partition in (select partition from wanted) and path not like '%/compacted\\_%'
      group by partition
    ), hours as (
      select partition, coalesce(version, 0) as version, coalesce(raw.rows, 0) as rows,
        coalesce(state = 'built' and not is_disturbed and built_digest = coalesce(raw.digest, ''), false) as is_built
      from wanted left join raw using (partition)
      left join (select * from etl_partitions where client_id = ${clientId}) book using (partition)
    ), activity as (
      select day::text as day, case when hour >= to_timestamp(${liveFromMs}::float8 / 1000) then extract(epoch from hour) * 1000 else 0 end as hour_ms,
        currency, sum(events) as events, sum(product_views) as product_views, sum(add_to_cart) as add_to_cart,
        sum(purchases) as purchases, sum(revenue_minor) as revenue_minor
      from analytics.activity_hourly where ${ofDays} group by 1, 2, 3
    )
    select (select coalesce(jsonb_agg(activity), '[]') from activity) as rows,
      (select coalesce(jsonb_agg(hours), '[]') from hours) as hours,
      (select coalesce(jsonb_agg(jsonb_build_object('day', day::text, 'digest', digest, 'sources', sources)), '[]')
        from analytics.builds where ${ofDays} and aggregate = ${aggregate.name}) as builds`);
  return row!;
}

interface Known {
  snapshot: Snapshot;
  hoursMs: readonly number[];
  live: ReadonlyMap<number, LiveHour>;
}

function merge(clientId: string, days: Days, { snapshot, hoursMs, live }: Known): ReadActivity {
  const hours = new Map(snapshot.hours.map((hour) => [hour.partition, hour]));
  const rows = Map.groupBy(snapshot.rows, ({ day, hour_ms }) => `${day} ${hour_ms}`);
  const versions = new Map(snapshot.builds.map((build) => [build.day, versionsOf(build, days.timeZone)]));
  const hoursOfDays = groupByDay(hoursMs, days.timeZone);
  const merged = new Map<string, Activity>();
  const liveHours = new Set<number>();
  for (let day = days.start; day < days.end; day = addDays(day, 1)) {
    const parts = [toActivity(rows.get(`${day} 0`))];
    const bounds = hoursOfDays.has(day) ? boundsOfDay(days.timeZone, day) : ([0, 0] as const);
    for (const startMs of hoursOfDays.get(day) ?? []) {
      const { path } = partitionOf(clientId, startMs);
      const hour = hours.get(path)!;
      const part: HourOfDay = {
        startMs,
        day: bounds,
        built: toActivity(rows.get(`${day} ${startMs}`)),
        isUpToDate: hour.is_built && versions.get(day)?.get(path) === hour.version,
        lakeRows: hour.rows,
        live: live.get(startMs) ?? {},
      };
      const { activity, isLive } = mergeHour(part);
      parts.push(activity);
      if (isLive && activity.events > 0) liveHours.add(startMs);
    }
    merged.set(day, addActivities(parts));
  }
  const shown = [...liveHours].toSorted((a, b) => a - b).map((ms) => new Date(ms).toISOString());
  return { days: merged, liveHours: shown };
}

function groupByDay(hoursMs: readonly number[], timeZone: string): Map<string, number[]> {
  const days = new Map<string, number[]>();
  for (const startMs of hoursMs) {
    for (const day of daysOfHour(timeZone, startMs)) days.set(day, [...(days.get(day) ?? []), startMs]);
  }
  return days;
}

/** The hours that a day was built from; none where it was built for another time zone, or by another way of counting. */
function versionsOf({ digest, sources }: Snapshot["builds"][number], timeZone: string): Map<string, number> {
  const isCurrent = digest === digestOf(sources, `${aggregate.name} ${aggregate.version} ${timeZone}`);
  return new Map(isCurrent ? sources.map(([partition, version]) => [partition, version]) : []);
}

function toActivity(rows: readonly ActivityRow[] = []): Activity {
  return addActivities(
    rows.map(({ events, product_views, add_to_cart, purchases, currency, revenue_minor }) => {
      const revenue = currency === "" ? {} : { [currency]: revenue_minor };
      return { ...NO_ACTIVITY, events, product_views, add_to_cart, purchases, revenue };
    }),
  );
}
