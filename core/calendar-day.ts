import { DAY_MS, HOUR_MS } from "./time.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

/** The calendar day in a zone, `2026-11-21`. A zone that nobody knows counts as UTC. */
export function dayIn(timeZone: string, atMs: number): string {
  return formatOf(timeZone).format(atMs);
}

/** When the next calendar day begins in the zone, epoch milliseconds: also where a change of the clocks swallows midnight. */
export function startOfNextDay(timeZone: string, atMs: number): number {
  const today = dayIn(timeZone, atMs);
  // The first moment of another day lies at most 25 hours ahead, or 49 where a zone leaps over a day.
  let [before, after] = [atMs, atMs + 50 * HOUR_MS];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (dayIn(timeZone, middle) === today) before = middle;
    else after = middle;
  }
  return after;
}

/** The first millisecond of a calendar day in the zone, and the first after it. Equal where the zone leaps over the day. */
export function boundsOfDay(timeZone: string, day: string): [fromMs: number, toMs: number] {
  // Wherever that is, it is at least a day earlier there.
  let fromMs = Date.parse(day) - 50 * HOUR_MS;
  while (dayIn(timeZone, fromMs) < day) fromMs = startOfNextDay(timeZone, fromMs);
  return [fromMs, dayIn(timeZone, fromMs) === day ? startOfNextDay(timeZone, fromMs) : fromMs];
}

/** The calendar days that an hour is of: two where the zone is not whole hours from UTC. */
export function daysOfHour(timeZone: string, startMs: number): Set<string> {
  return new Set([startMs, startMs + HOUR_MS - 1].map((ms) => dayIn(timeZone, ms)));
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

export function countDays(start: string, end: string): number {
  return Math.round((Date.parse(end) - Date.parse(start)) / DAY_MS);
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const made = makeFormat(timeZone);
  formats.set(timeZone, made);
  return made;
}

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  // Sweden writes dates as ISO 8601 does.
  const options = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  try {
    return new Intl.DateTimeFormat("sv-SE", { ...options, timeZone });
  } catch {
    return new Intl.DateTimeFormat("sv-SE", { ...options, timeZone: "UTC" });
  }
}
