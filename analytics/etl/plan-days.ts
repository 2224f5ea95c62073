import { createHash } from "node:crypto";

import { eq } from "drizzle-orm";

import type { EtlScope } from "../../core/contracts/etl.ts";
import { daysOfHour } from "../../core/calendar-day.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Database } from "../../platform/postgres/database.ts";
import { type BuildSource, builds } from "../../platform/postgres/schema.ts";
import { readTimeZone } from "../read-time-zone.ts";
import { listPartitions, type PartitionRow, startOf } from "./book.ts";
import { DAILY_AGGREGATES } from "./registry.ts";

export interface DayPlan {
  day: string;
  timeZone: string;
  hours: PartitionRow[];
  sources: BuildSource[];
  /** Aggregates that were made from something else, and the digest of what they would be made from now. */
  stale: { name: string; digest: string }[];
}

/** The client's days of which an aggregate is not up to date, in order. Those with an hour that is held back are left as they are. */
export async function planDays(db: Database, scope: EtlScope): Promise<DayPlan[]> {
  const { client_id } = scope;
  const timeZone = await readTimeZone(db, client_id);
  const found = await db.select().from(builds).where(eq(builds.client_id, client_id));
  const known = new Map(found.map((row) => [`${row.aggregate} ${row.day}`, row.digest]));
  const days = groupByDay(await listPartitions(db, client_id), timeZone);
  for (const { day, aggregate } of found) {
    if (DAILY_AGGREGATES.some(({ name }) => name === aggregate) && !days.has(day)) days.set(day, []);
  }
  return [...days]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([day, hours]) => {
      if (hours.some((hour) => hour.state !== "built")) return [];
      const sources = hours.map((hour): BuildSource => [hour.partition, hour.version, hour.people_version]);
      const isAsked = scope.rebuild === true && isWithin(scope, hours);
      const stale = DAILY_AGGREGATES.flatMap(({ name, version }) => {
        const digest = hours.length === 0 ? "" : digestOf(sources, `${name} ${version} ${timeZone}`);
        return isAsked || (known.get(`${name} ${day}`) ?? "") !== digest ? [{ name, digest }] : [];
      });
      return stale.length === 0 ? [] : [{ day, timeZone, hours, sources, stale }];
    });
}

export function digestOf(sources: readonly BuildSource[], what: string): string {
  return createHash("sha256")
    .update(JSON.stringify([what, sources]))
    .digest("hex");
}

function groupByDay(hours: readonly PartitionRow[], timeZone: string): Map<string, PartitionRow[]> {
  const days = new Map<string, PartitionRow[]>();
  for (const hour of hours) {
    const found = daysOfHour(timeZone, startOf(hour.partition));
    for (const day of found) days.set(day, [...(days.get(day) ?? []), hour]);
  }
  return days;
}

function isWithin({ start, end }: EtlScope, hours: readonly PartitionRow[]): boolean {
  const fromMs = start === undefined ? Number.NEGATIVE_INFINITY : Date.parse(start);
  const toMs = end === undefined ? Number.POSITIVE_INFINITY : Date.parse(end);
  return hours.some(({ partition }) => startOf(partition) < toMs && startOf(partition) + HOUR_MS > fromMs);
}
