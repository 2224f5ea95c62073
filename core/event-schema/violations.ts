import { HOUR_MS } from "../time.ts";
import type { Misfit } from "./compile.ts";
import type { SchemaMode } from "./registered-schema.ts";

/** Events of a client, type and hour of receipt that did not fit, by what was wrong. */
export interface ViolationHour {
  /** Each counts once, however much is wrong with it. */
  events: number;
  misfits: readonly CountedMisfit[];
}

export interface CountedMisfit extends Misfit {
  version: number;
  mode: SchemaMode;
  count: number;
  /** When the first and the last of them were received, ISO 8601. */
  first_seen: string;
  last_seen: string;
  /** The first of them. */
  sample_event_id: string;
}

export interface Violation {
  version: number;
  mode: SchemaMode;
  misfits: readonly Misfit[];
  receivedAt: string;
  eventId: string;
}

/** Kinds of misfits in an hour: what is beyond is counted together. */
const MAX_KINDS = 100;
const OTHERS: Misfit = { path: "", reason: "(others)" };

/** Counts are kept for so long after their hour. */
export const VIOLATION_DAYS = 31;

/** `2026-11-21T10:00Z`. */
export function violationHourOf(ms: number): string {
  return `${new Date(Math.floor(ms / HOUR_MS) * HOUR_MS).toISOString().slice(0, 16)}Z`;
}

export function addViolation(before: ViolationHour | undefined, violation: Violation): ViolationHour {
  const misfits = [...(before?.misfits ?? [])];
  for (const misfit of violation.misfits) count(misfits, misfit, violation);
  return { events: (before?.events ?? 0) + 1, misfits };
}

function count(misfits: CountedMisfit[], misfit: Misfit, violation: Violation): void {
  const { version, mode, receivedAt: at, eventId } = violation;
  const place = misfits.findIndex((known) => isSame(known, misfit, violation));
  if (place < 0 && misfits.length >= MAX_KINDS && misfit !== OTHERS) return count(misfits, OTHERS, violation);
  const known = misfits[place];
  if (known === undefined) {
    const seen = { first_seen: at, last_seen: at, sample_event_id: eventId };
    misfits.push({ version, mode, path: misfit.path, reason: misfit.reason, count: 1, ...seen });
  } else misfits[place] = join(known, { ...known, count: 1, first_seen: at, last_seen: at, sample_event_id: eventId });
}

function isSame(
  known: CountedMisfit,
  { path, reason }: Misfit,
  { version, mode }: Pick<Violation, "version" | "mode">,
) {
  return known.path === path && known.reason === reason && known.version === version && known.mode === mode;
}

/** Two counts of one thing; in either order the same. */
function join(a: CountedMisfit, b: CountedMisfit): CountedMisfit {
  const isFirst =
    a.first_seen < b.first_seen || (a.first_seen === b.first_seen && a.sample_event_id <= b.sample_event_id);
  return {
    ...a,
    count: a.count + b.count,
    first_seen: isFirst ? a.first_seen : b.first_seen,
    last_seen: a.last_seen > b.last_seen ? a.last_seen : b.last_seen,
    sample_event_id: isFirst ? a.sample_event_id : b.sample_event_id,
  };
}

export interface HourCount {
  hour: string;
  count: number;
}

/** Of several hours, oldest first: each misfit with its hours, the most frequent first. */
export function sumViolations(hours: readonly { hour: string; found: ViolationHour }[]): {
  events: number;
  misfits: (CountedMisfit & { hours: HourCount[] })[];
} {
  const summed: (CountedMisfit & { hours: HourCount[] })[] = [];
  for (const { hour, found } of hours) {
    for (const misfit of found.misfits) {
      const here = { hour, count: misfit.count };
      const place = summed.findIndex((known) => isSame(known, misfit, misfit));
      const known = summed[place];
      if (known === undefined) summed.push({ ...misfit, hours: [here] });
      else summed[place] = { ...join(known, misfit), hours: [...known.hours, here] };
    }
  }
  const events = hours.reduce((sum, { found }) => sum + found.events, 0);
  return { events, misfits: summed.toSorted((a, b) => b.count - a.count) };
}
