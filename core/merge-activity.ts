import { type Activity, addActivities, type LiveHour, NO_ACTIVITY, withinHour } from "./live-hour.ts";
import { HOUR_MS } from "./time.ts";

/** An hour (UTC) of a client's day, as aggregates and live counters know it. */
export interface HourOfDay {
  startMs: number;
  /** First millisecond of the day and the first after it. */
  day: readonly [fromMs: number, toMs: number];
  /** Of this day alone; null where there is none. */
  built: Activity | null;
  /** Built from all files that the lake has of this hour. */
  isUpToDate: boolean;
  /** Rows of those files: what the stream brought, also what came twice. */
  lakeRows: number;
  /** Of the whole hour. */
  live: LiveHour;
}

/**
 * Which of the two counts for the hour: never both, and no clock says which. An aggregate that is made of every file of its hour counts
 * until the stream has brought more events than lie in those files: then some are on their way to the lake. One that is not waits for the
 * next run of ETL, and until then the counters count, unless they know less (they were not there, or are behind).
 */
function isCountedLive(hour: HourOfDay): boolean {
  const { built, isUpToDate, lakeRows, live } = hour;
  if (isUpToDate) return addActivities(Object.values(live)).events > lakeRows;
  return liveWithinDay(hour).events >= (built ?? NO_ACTIVITY).events;
}

/** What the hour adds to its day, and whether that is live. */
export function mergeHour(hour: HourOfDay): { activity: Activity; isLive: boolean } {
  const isLive = isCountedLive(hour);
  return { isLive, activity: isLive ? liveWithinDay(hour) : (hour.built ?? NO_ACTIVITY) };
}

function liveWithinDay({ live, startMs, day: [fromMs, toMs] }: HourOfDay): Activity {
  return withinHour(live, startMs, [Math.max(fromMs, startMs), Math.min(toMs, startMs + HOUR_MS)]);
}
