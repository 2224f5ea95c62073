import { createHash } from "node:crypto";
import { join } from "node:path";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { boundsOfDay } from "../../../core/calendar-day.ts";
import { countFunnel, type FunnelEvent } from "../../../core/count-funnel.ts";
import { type Funnel, FUNNEL_UNITS } from "../../../core/funnel.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../core/time.ts";
import { createLake } from "../../../platform/lake/lake.ts";
import { FUNNEL_START, funnelEvents, funnelRows } from "../../../test/support/funnel-rows.ts";
import { useWarehouse } from "../../../test/support/use-warehouse.ts";
import { query, type Row } from "../deps.ts";
import { settleEntries } from "./settle-entries.ts";
import { stagePairs } from "./stage-pairs.ts";
import { FUNNEL_GRAINS } from "./stale-buckets.ts";

const { warehouse, folder } = useWarehouse();
const lake = createLake(join(folder, "lake"));

const steps = ["view", "cart", "buy"].map((event_type) => ({ event_type, conditions: [] }));
const ZONES = ["UTC", "Asia/Kolkata", "America/New_York"];
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** The same events with an hour for every minute: units come back over days. */
function spread(events: readonly FunnelEvent[], factor: number): FunnelEvent[] {
  return events.map((event) => ({ ...event, at: FUNNEL_START + (event.at - FUNNEL_START) * factor }));
}

/** What ETL keeps: the digest of each day's entries, and the table of pairs. */
interface Kept {
  name: string;
  known: ReadonlyMap<string, string>;
  rows: Row[];
}

/** A run of ETL, with a digest of the events themselves in place of that of their files. */
async function refresh(kept: Kept, events: readonly FunnelEvent[], funnel: Funnel, timeZone: string): Promise<Kept> {
  const of = ({ start, end }: { start: number; end: number }) => events.filter(({ at }) => at >= start && at < end);
  const found = new Set([...events.map(({ at }) => dayOf(at)), ...kept.known.keys()]);
  const days = [...found].toSorted().map((day) => {
    const start = Date.parse(day);
    const own = of({ start, end: start + DAY_MS });
    const read = of({ start, end: start + DAY_MS + funnel.window_ms });
    const digest = own.length === 0 ? "" : createHash("sha256").update(JSON.stringify(read)).digest("hex");
    return { day, digest, known: kept.known.get(day), sources: [], events: own.length };
  });
  return warehouse.use(async (connection) => {
    const stale = await settleEntries({
      lake,
      connection,
      funnel,
      timeZone,
      days,
      pathOf: (day, digest) => `curated/${kept.name}/${day}/${digest}.parquet`,
      readEvents: (range) => Promise.resolve(funnelRows(of(range))),
    });
    let rows = kept.rows;
    for (const grain of FUNNEL_GRAINS) {
      const { pairs, oldest } = await stagePairs(connection, { funnel, grain, stale: stale[grain] });
      const gone = new Set(stale[grain]);
      const isKept = (row: Row) =>
        row["grain"] !== grain || (String(row["entered"]) >= oldest && !gone.has(String(row["entered"])));
      rows = [...rows.filter(isKept), ...(await query(connection, pairs))];
    }
    return { name: kept.name, known: new Map(days.map(({ day, digest }) => [day, digest])), rows };
  });
}

/** As the report sums it up. */
function sumUp(rows: readonly Row[], grain: string, start: number, end: number): number[] {
  return steps.map((_, nth) => {
    const isIn = (row: Row) =>
      row["grain"] === grain &&
      Number(row["step"]) === nth + 1 &&
      Date.parse(String(row["entered"])) >= start &&
      Date.parse(String(row["entered"])) < end &&
      Date.parse(String(row["entered_before"])) < start;
    return rows.filter(isIn).reduce((sum, row) => sum + Number(row["units"]), 0);
  });
}

function inOrder(rows: readonly Row[]): string[] {
  return rows.map((row) => JSON.stringify(row)).toSorted();
}

let runs = 0;
const fresh = (): Kept => ({ name: `run-${runs++}`, known: new Map(), rows: [] });

test("events that come in any order, in any parts: what all of them at once make, and what trying out every chain counts", async () => {
  const windows = fc.constantFrom(30 * MINUTE_MS, 3 * HOUR_MS, 2 * DAY_MS);
  await fc.assert(
    fc.asyncProperty(
      funnelEvents(90, 20),
      fc.record({ window_ms: windows, unit: fc.constantFrom(...FUNNEL_UNITS), zone: fc.constantFrom(...ZONES) }),
      fc.constantFrom(7, 60, 1_500),
      fc.array(fc.nat(3), { minLength: 20, maxLength: 20 }),
      fc.array(fc.tuple(fc.integer({ min: -3, max: 24 }), fc.integer({ min: 1, max: 24 })), {
        minLength: 4,
        maxLength: 4,
      }),
      async (drawn, { window_ms, unit, zone }, factor, parts, ranges) => {
        const funnel: Funnel = { unit, window_ms, steps };
        const all = spread(drawn, factor);
        let kept = fresh();
        for (const part of [0, 1, 2, 3]) {
          const known = all.filter((_, nth) => parts[nth % parts.length]! <= part);
          kept = await refresh(kept, known, funnel, zone);
          const whole = await refresh(fresh(), known, funnel, zone);
          expect(inOrder(kept.rows)).toEqual(inOrder(whole.rows));
        }
        // Told again, nothing changes; and events that are taken back leave nothing.
        expect(inOrder((await refresh(kept, all, funnel, zone)).rows)).toEqual(inOrder(kept.rows));
        for (const [from, length] of ranges) {
          const hours = { start: FUNNEL_START + from * HOUR_MS, end: FUNNEL_START + (from + length) * HOUR_MS };
          // Hours that are too old are not kept.
          const isKept = Math.max(...all.map(({ at }) => at)) - hours.start < 62 * DAY_MS;
          const summed = sumUp(kept.rows, "hour", hours.start, hours.end);
          const counted = countFunnel(funnel, all, hours).steps;
          expect(summed).toEqual(isKept ? counted : summed);
          const [first, last] = [from, from + length].map((nth) => FUNNEL_START + Math.floor(nth / 6) * DAY_MS);
          const [day, dayAfter] = [first!, last! + DAY_MS].map(dayOf);
          const days = { start: boundsOfDay(zone, day!)[0], end: boundsOfDay(zone, dayAfter!)[0] };
          const shown = sumUp(kept.rows, "day", Date.parse(day!), Date.parse(dayAfter!));
          expect(shown).toEqual(countFunnel(funnel, all, days).steps);
        }
        expect((await refresh(kept, [], funnel, zone)).rows).toEqual([]);
      },
    ),
    { numRuns: 8, endOnFailure: true },
  );
}, 60_000);
