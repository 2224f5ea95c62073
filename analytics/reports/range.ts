import { z } from "zod";

import { boundsOfDay } from "../../core/calendar-day.ts";
import { AppError } from "../../core/errors.ts";
import { MAX_FUNNEL_RANGE_MS } from "../../core/registered-funnels.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readTimeZone } from "../read-time-zone.ts";

const momentSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })], {
  error: "is neither a day (2026-11-21) nor a time with its zone (2026-11-21T10:00:00Z)",
});

/** Of reports that are from one moment to another; those of whole days are in days.ts. */
export const rangeInput = {
  start: momentSchema.meta({ description: "The first moment; a day begins in the client's time zone." }),
  end: momentSchema.meta({
    description: "The first moment after it. Chains begin before it; they may go on after it.",
  }),
};

/** Moments, epoch milliseconds. */
export interface Range {
  start: number;
  /** The first that is no more in it. */
  end: number;
  timeZone: string;
}

/** Moments of a client's range. Throws `invalid` where there is no such range. */
export async function readRange(
  tx: Transaction,
  clientId: string,
  { start, end }: { start: string; end: string },
): Promise<Range> {
  const timeZone = await readTimeZone(tx, clientId);
  const read = (text: string) => (text.length === 10 ? boundsOfDay(timeZone, text)[0] : Date.parse(text));
  const range = { start: read(start), end: read(end), timeZone };
  const reason =
    range.start >= range.end
      ? "must be after start"
      : range.end - range.start > MAX_FUNNEL_RANGE_MS
        ? `must be at most ${MAX_FUNNEL_RANGE_MS / DAY_MS} days after start`
        : undefined;
  if (reason !== undefined) {
    throw new AppError("invalid", "The query is not valid.", { faults: [{ path: "/end", reason }] });
  }
  return range;
}
