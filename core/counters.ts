/** How many events of each type, of a client in a minute. */
export type Counts = Readonly<Record<string, number>>;

/** Counters are for looking at what goes on now; the lake has the rest. */
export const COUNTERS_TTL_DAYS = 7;
/** A sender may make up event types; the rest are counted together. */
export const MAX_COUNTED_TYPES = 500;
export const OTHER_TYPES = "(other)";

/** The minute of a time, ISO 8601: `2026-11-21T10:00Z`. */
export function minuteOf(timestamp: string): string {
  return `${timestamp.slice(0, 16)}Z`;
}

export function addCount(counts: Counts | undefined, eventType: string): Counts {
  const before = counts ?? {};
  const isNew = !Object.hasOwn(before, eventType);
  const type = isNew && Object.keys(before).length >= MAX_COUNTED_TYPES ? OTHER_TYPES : eventType;
  const count = Object.hasOwn(before, type) ? (before[type] ?? 0) : 0;
  return { ...before, ...Object.fromEntries([[type, count + 1]]) };
}
