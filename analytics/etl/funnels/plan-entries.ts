import type { Funnel } from "../../../core/funnel.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";
import type { FunnelRange } from "../../reports/funnel-sql.ts";
import { type PartitionRow, startOf } from "../book.ts";
import { sourcesOf } from "../book-build.ts";
import { digestOf } from "../plan-days.ts";
import type { EntriesDay } from "./settle-entries.ts";

/**
 * The UTC days with events, or that had some, in order. What a day's entries are made of: its own hours, and those up to a window after it.
 * `known`: the digest of each day as it stands in the book; `what`: all else that entries depend on.
 */
export function planEntries(of: {
  hours: readonly PartitionRow[];
  funnel: Funnel;
  known: ReadonlyMap<string, string>;
  what: string;
}): EntriesDay[] {
  const { hours, funnel, known, what } = of;
  const found = new Set(hours.map(({ partition }) => dayOf(startOf(partition))));
  return [...new Set([...found, ...known.keys()])].toSorted().map((day) => {
    if (!found.has(day)) return { day, digest: "", known: known.get(day), sources: [], events: 0 };
    const start = Date.parse(day);
    const own = hours.filter(({ partition }) => isWithin(partition, { start, end: start + DAY_MS }));
    const range = { start, end: start + DAY_MS + funnel.window_ms };
    const sources = sourcesOf(hours.filter(({ partition }) => isWithin(partition, range)));
    const events = own.reduce((sum, { curated_rows }) => sum + curated_rows, 0);
    return { day, digest: digestOf(sources, what), known: known.get(day), sources, events };
  });
}

/** Whether an hour has moments of a range. */
export function isWithin(partition: string, { start, end }: FunnelRange): boolean {
  const hour = startOf(partition);
  return hour + HOUR_MS > start && hour < end;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
