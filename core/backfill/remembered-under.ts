import { createHash } from "node:crypto";

import type { BackfillMapping } from "../backfill-mapping.ts";
import { MINUTE_MS } from "../time.ts";

/** So many lines share a minute. */
export const LINES_TOGETHER = 2_000;
/** Thirty-eight years of them, which files share. */
const MINUTES = 20_000_000;

/**
 * Ids that are derived from a line only this file's lines can bear, so they need not be remembered under the event's own minute: history
 * has few events in each, and every minute costs a write. The same line always has the same. Undefined where events name their ids
 * themselves: those may also come by another way.
 */
export function createRememberedUnder(
  { event, as_is, key }: BackfillMapping,
  digest: string,
): ((line: number) => string) | undefined {
  if (event.event_id !== undefined || as_is) return undefined;
  const first = createHash("sha256")
    .update(JSON.stringify([key, key === undefined ? digest : null]))
    .digest()
    .readUInt32LE(0);
  return (line) => {
    const minute = (first + Math.floor(line / LINES_TOGETHER)) % MINUTES;
    return new Date(minute * MINUTE_MS).toISOString();
  };
}
