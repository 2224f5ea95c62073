import type { Funnel } from "../../../core/funnel.ts";
import { DAY_MS } from "../../../core/time.ts";
import type { BuildSource } from "../../../platform/postgres/schema.ts";
import type { Lake } from "../../../platform/lake/lake.ts";
import type { DuckDBConnection } from "../../../platform/warehouse/duckdb.ts";
import type { FunnelRange } from "../../reports/funnel-sql.ts";
import { readFiles } from "../read-files.ts";
import { writeFile } from "../write-file.ts";
import { ENTRIES_EMPTY, entriesSql } from "./entries-sql.ts";
import { findStaleBuckets, type StaleBuckets } from "./stale-buckets.ts";

/** A UTC day of a funnel's entries: `digest` says what they are made of now, `known` of what the file that counts was made. */
export interface EntriesDay {
  day: string;
  digest: string;
  known: string | undefined;
  sources: BuildSource[];
  /** Of the day itself. */
  events: number;
}

interface Settling {
  lake: Lake;
  connection: DuckDBConnection;
  funnel: Funnel;
  timeZone: string;
  /** All days that have, or had, events, in order. */
  days: readonly EntriesDay[];
  pathOf(day: string, digest: string): string;
  /** Makes what it answers, a table or view, hold all events of a range. */
  readEvents(range: FunnelRange): Promise<string>;
}

/** So many events are looked through at once. */
const EVENTS_AT_ONCE = 8_000_000;

/**
 * Writes the entries of days that are made of other events than before, beside the files that count now, and makes the view `entries` of
 * what is to count. Answers what else changes with it. A day's entries depend on its own events and on those up to a window after it.
 */
export async function settleEntries(of: Settling): Promise<StaleBuckets> {
  const { lake, connection, days, pathOf } = of;
  const stale = days.filter(({ digest, known }) => digest !== known);
  for (const some of inRuns(stale)) await writeEntries(of, some);
  const files = (some: readonly EntriesDay[], version: "digest" | "known") =>
    readFiles(
      lake,
      some.flatMap(({ day, [version]: digest }) => (digest ? [pathOf(day, digest)] : [])),
      ENTRIES_EMPTY,
    );
  await connection.run(`CREATE OR REPLACE TEMP VIEW entries AS FROM ${files(days, "digest")}`);
  // Nobody looks back at what is yet to come.
  const later = days.filter(({ day }) => day >= (stale[0]?.day ?? ""));
  return findStaleBuckets(connection, {
    before: files(stale, "known"),
    after: files(stale, "digest"),
    later: files(later, "digest"),
  });
}

async function writeEntries(of: Settling, days: readonly EntriesDay[]): Promise<void> {
  const { lake, connection, funnel, timeZone, pathOf, readEvents } = of;
  const range = { start: Date.parse(days[0]!.day), end: Date.parse(days.at(-1)!.day) + DAY_MS };
  const events = await readEvents({ start: range.start, end: range.end + funnel.window_ms });
  await connection.run(`CREATE OR REPLACE TEMP TABLE fresh AS ${entriesSql(funnel, events, range, timeZone)}`);
  for (const { day, digest } of days) {
    const rows = `SELECT * FROM fresh WHERE hour >= TIMESTAMP '${day}' AND hour < TIMESTAMP '${day}' + INTERVAL 1 DAY ORDER BY ALL`;
    await writeFile(lake, connection, rows, pathOf(day, digest));
  }
  await connection.run("DROP TABLE fresh");
}

/** Days that follow each other, as many as are looked through at once. Those without events are left out. */
function inRuns(days: readonly EntriesDay[]): EntriesDay[][] {
  const runs: EntriesDay[][] = [];
  let events = 0;
  for (const day of days) {
    if (day.digest === "") continue;
    const run = runs.at(-1);
    const isNext = run !== undefined && Date.parse(day.day) - Date.parse(run.at(-1)!.day) === DAY_MS;
    events += day.events;
    if (isNext && events <= EVENTS_AT_ONCE) run.push(day);
    else {
      runs.push([day]);
      events = day.events;
    }
  }
  return runs;
}
