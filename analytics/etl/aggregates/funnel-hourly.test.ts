import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { boundsOfDay } from "../../../core/calendar-day.ts";
import { countFunnel, type FunnelEvent } from "../../../core/count-funnel.ts";
import { type Funnel, FUNNEL_UNITS } from "../../../core/funnel.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../core/time.ts";
import { createWarehouse, type Warehouse } from "../../../platform/warehouse/duckdb.ts";
import { FUNNEL_START, funnelEvents, funnelRows } from "../../../test/support/funnel-rows.ts";
import type { Row } from "../deps.ts";
import { countEntries } from "./funnel-hourly.ts";

const folder = mkdtempSync(join(tmpdir(), "livora-funnel-hourly-"));
let warehouse: Warehouse;
beforeAll(() => {
  warehouse = createWarehouse({ memoryLimit: "256MB", threads: 1, tempFolder: join(folder, "spill") });
});
afterAll(async () => {
  await warehouse.close();
  rmSync(folder, { recursive: true, force: true });
});

const steps = ["view", "cart", "buy"].map((event_type) => ({ event_type, conditions: [] }));
const ZONES = ["UTC", "Asia/Kolkata", "America/New_York"];

/** The same events with an hour for every minute: units come back over days. */
function spread(events: readonly FunnelEvent[], factor: number): FunnelEvent[] {
  return events.map((event) => ({ ...event, at: FUNNEL_START + (event.at - FUNNEL_START) * factor }));
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

test("any range of hours or days gives each unit once, also after late events", async () => {
  const windows = fc.constantFrom(30 * MINUTE_MS, 3 * HOUR_MS, 2 * DAY_MS);
  await fc.assert(
    fc.asyncProperty(
      funnelEvents(90, 20),
      fc.record({ window_ms: windows, unit: fc.constantFrom(...FUNNEL_UNITS), zone: fc.constantFrom(...ZONES) }),
      fc.constantFrom(7, 60),
      fc.array(fc.tuple(fc.integer({ min: -3, max: 24 }), fc.integer({ min: 1, max: 24 })), {
        minLength: 4,
        maxLength: 4,
      }),
      async (drawn, { window_ms, unit, zone }, factor, ranges) => {
        const funnel: Funnel = { unit, window_ms, steps };
        const all = spread(drawn, factor);
        // First without those that come late, then with them.
        for (const events of [all.slice(0, -4), all]) {
          const rows = await warehouse.use((connection) => countEntries(connection, funnelRows(events), funnel, zone));
          for (const [from, length] of ranges) {
            const hours = { start: FUNNEL_START + from * HOUR_MS, end: FUNNEL_START + (from + length) * HOUR_MS };
            expect(sumUp(rows, "hour", hours.start, hours.end)).toEqual(countFunnel(funnel, events, hours).steps);
            const [first, last] = [from, from + length].map((nth) => FUNNEL_START + Math.floor(nth / 6) * DAY_MS);
            const [day, dayAfter] = [first!, last! + DAY_MS].map((ms) => new Date(ms).toISOString().slice(0, 10));
            const days = { start: boundsOfDay(zone, day!)[0], end: boundsOfDay(zone, dayAfter!)[0] };
            const shown = sumUp(rows, "day", Date.parse(day!), Date.parse(dayAfter!));
            expect(shown).toEqual(countFunnel(funnel, events, days).steps);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);
