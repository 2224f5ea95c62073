import * as fc from "fast-check";
import { expect, test } from "vitest";

import { type Activity, addActivities, addToLiveDay, type LiveDay, NO_ACTIVITY, readLiveHour } from "./live-hour.ts";
import { mergeHour } from "./merge-activity.ts";
import { HOUR_MS, MINUTE_MS } from "./time.ts";

const START = Date.parse("2026-11-21T00:00:00Z");
const HOURS = 4;
/** Days begin in the middle of an hour, as they do in India. */
const DAYS = [-1, 0, 1].map((nth) => {
  const fromMs = START + nth * 2 * HOUR_MS + 30 * MINUTE_MS;
  return [fromMs, fromMs + 2 * HOUR_MS] as const;
});

interface Sent {
  minute: number;
  isPurchase: boolean;
  minor: number;
}

/** What happens, in any order: events come, the lake writes what has come, hours are built, days are computed. */
type Step = { kind: "send"; events: Sent[] } | { kind: "lake" | "hours" | "days"; some: number };

const sent: fc.Arbitrary<Sent> = fc.record({
  minute: fc.nat(HOURS * 60 - 1),
  isPurchase: fc.boolean(),
  minor: fc.nat(999),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("send" as const), events: fc.array(sent, { minLength: 1, maxLength: 6 }) }),
  fc.record({ kind: fc.constantFrom("lake" as const, "hours" as const, "days" as const), some: fc.nat(15) }),
);

/** The whole of it, as small as it gets. */
function createWorld() {
  const accepted: Sent[] = [];
  const lake: Sent[] = [];
  const waiting: Sent[] = [];
  let live: LiveDay = {};
  const built = Array.from({ length: HOURS }, () => ({ version: 0, rows: [] as Sent[] }));
  const days = DAYS.map(() => ({ versions: new Map<number, number>(), rows: [] as Sent[] }));
  const hourOf = ({ minute }: Sent) => Math.floor(minute / 60);
  const isWithin = ({ minute }: Sent, [fromMs, toMs]: readonly [number, number]) =>
    START + minute * MINUTE_MS >= fromMs && START + minute * MINUTE_MS < toMs;

  function act(next: Step): void {
    if (next.kind === "send") {
      for (const event of next.events) {
        accepted.push(event);
        waiting.push(event);
        const timestamp = new Date(START + event.minute * MINUTE_MS).toISOString();
        const event_type = event.isPurchase ? "purchase" : "page_view";
        const earned = event.isPurchase ? { currency: "INR", minor: event.minor } : null;
        live = addToLiveDay(live, { timestamp, event_type }, earned);
      }
    } else if (next.kind === "lake") {
      // A batch of the stream's, not all of it.
      lake.push(...waiting.splice(0, next.some));
    } else {
      const chosen = [0, 1, 2, 3].filter((nth) => (next.some >> nth) & 1);
      if (next.kind === "hours") chosen.forEach(buildHour);
      else for (const nth of chosen) if (nth < DAYS.length) buildDay(nth);
    }
  }

  function buildHour(hour: number): void {
    const rows = lake.filter((event) => hourOf(event) === hour);
    const before = built[hour]!;
    if (rows.length !== before.rows.length) built[hour] = { version: before.version + 1, rows };
  }

  function buildDay(nth: number): void {
    days[nth] = {
      versions: new Map(built.map(({ version }, hour) => [hour, version])),
      rows: built.flatMap(({ rows }) => rows.filter((event) => isWithin(event, DAYS[nth]!))),
    };
  }

  function read(nth: number) {
    const { versions, rows } = days[nth]!;
    return built.map(({ version, rows: ofHour }, hour) => {
      const inLake = lake.filter((event) => hourOf(event) === hour).length;
      return mergeHour({
        startMs: START + hour * HOUR_MS,
        day: DAYS[nth]!,
        built: sumOf(rows.filter((event) => hourOf(event) === hour)),
        isUpToDate: version > 0 && versions.get(hour) === version && ofHour.length === inLake,
        lakeRows: inLake,
        live: readLiveHour([live], hour),
      });
    });
  }
  return { act, read, accepted, isWithin, forgetLive: () => void (live = {}) };
}

function sumOf(events: readonly Sent[]): Activity {
  return addActivities(
    events.map(({ isPurchase, minor }): Activity => {
      const one = { ...NO_ACTIVITY, events: 1 };
      return isPurchase ? { ...one, purchases: 1, revenue: { INR: minor } } : one;
    }),
  );
}

test("at every moment each day has each event that was accepted, once, whatever was built when", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const world = createWorld();
      for (const next of steps) {
        world.act(next);
        for (const [nth, day] of DAYS.entries()) {
          const merged = addActivities(world.read(nth).map(({ activity }) => activity));
          expect(merged).toEqual(sumOf(world.accepted.filter((event) => world.isWithin(event, day))));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("once everything is built nothing is live, and it is all there without the counters, too", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.boolean(), (steps, isForgotten) => {
      const world = createWorld();
      for (const next of steps) world.act(next);
      for (let n = 0; n < 20; n++) world.act({ kind: "lake", some: 15 });
      world.act({ kind: "hours", some: 15 });
      world.act({ kind: "days", some: 15 });
      if (isForgotten) world.forgetLive();
      for (const [nth, day] of DAYS.entries()) {
        const parts = world.read(nth);
        const ofDay = world.accepted.filter((event) => world.isWithin(event, day));
        expect(addActivities(parts.map(({ activity }) => activity))).toEqual(sumOf(ofDay));
        expect(parts.some(({ isLive, activity }) => isLive && activity.events > 0)).toBe(false);
      }
    }),
  );
});

test("counters that know less than what was built before do not take from it", () => {
  const built = { ...NO_ACTIVITY, events: 5, revenue: { INR: 7 } };
  const hour = { startMs: START, day: [START, START + 24 * HOUR_MS] as const, built, isUpToDate: false, lakeRows: 6 };
  expect(mergeHour({ ...hour, live: {} })).toEqual({ activity: built, isLive: false });
});
