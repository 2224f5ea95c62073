import { z } from "zod";

import { addDays, boundsOfDay, countDays, dayIn } from "../../core/calendar-day.ts";
import { AppError, type Fault } from "../../core/errors.ts";
import { MINUTE_MS } from "../../core/time.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readTimeZone } from "../read-time-zone.ts";

const MOST_DAYS = 400;
/** Events are not older than that, and nobody asks for later ones. */
const [EARLIEST_MS, LATEST_MS] = [0, Date.parse("2200-01-01")];
/** Who asks for figures up to now means this very moment, by a clock of their own. */
const NOW_MS = 5 * MINUTE_MS;

const momentSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })], {
  error: "is neither a day (2026-11-21) nor a time with its zone (2026-11-21T00:00:00Z)",
});

/** Of reports that are of whole days. */
export const daysInput = {
  start: momentSchema.meta({
    description: "The first day, in the client's time zone; or the time at which it begins.",
    example: "2026-11-01",
  }),
  end: momentSchema.meta({
    description: "The day after the last; or the time at which it begins, or any from now on.",
    example: "2026-12-01",
  }),
};

export const daysShape = {
  start: z.iso.date().meta({ description: "The first day." }),
  end: z.iso.date().meta({ description: "The day after the last." }),
  time_zone: z.string().meta({ description: "IANA zone of the client's days; UTC where its settings name none." }),
};

/** Days of a client. */
export interface Days {
  start: string;
  /** The day after the last. */
  end: string;
  timeZone: string;
}

/** Throws `invalid` where there are no such days. */
export async function readDays(
  tx: Transaction,
  clientId: string,
  { start, end }: { start: string; end: string },
  nowMs: number,
): Promise<Days> {
  return toDays({ start, end }, await readTimeZone(tx, clientId), nowMs);
}

export function toDays({ start, end }: { start: string; end: string }, timeZone: string, nowMs: number): Days {
  const days = { start: dayOf(start), end: dayOf(end), timeZone };
  if (typeof days.start !== "string") throw invalid("start", days.start.reason);
  if (typeof days.end !== "string") throw invalid("end", days.end.reason);
  const length = countDays(days.start, days.end);
  if (length <= 0) throw invalid("end", "must be after start");
  if (length > MOST_DAYS) throw invalid("end", `must be at most ${MOST_DAYS} days after start`);
  return { start: days.start, end: days.end, timeZone };

  function dayOf(text: string): string | { reason: string } {
    const ms = Date.parse(text);
    if (!(ms >= EARLIEST_MS && ms < LATEST_MS)) return { reason: "must be from 1970-01-01 on, and before 2200-01-01" };
    if (text.length === 10) return text;
    const day = dayIn(timeZone, ms);
    if (boundsOfDay(timeZone, day)[0] === ms) return day;
    if (text === end && ms >= nowMs - NOW_MS) return addDays(day, 1);
    return { reason: `must be the beginning of a day in ${timeZone}: these figures are by day` };
  }
}

function invalid(name: string, reason: string): AppError {
  const faults: Fault[] = [{ path: `/${name}`, reason }];
  return new AppError("invalid", "The query is not valid.", { faults });
}
