import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import {
  COHORT_BY,
  COHORT_PERIODS,
  type CohortBy,
  type CohortPeriod,
  periodOf,
  periodsBetween,
} from "../../../core/cohort.ts";
import type { Context } from "../../../platform/context.ts";
import { cohortRetention, personDays, purchases } from "../../../platform/postgres/schema.ts";
import { createTestContext } from "../../../test/support/context.ts";
import { buildCohortRetention } from "./cohort-retention.ts";

let ctx: Context;
beforeAll(() => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());

interface Visit {
  person: string;
  day: string;
  /** Minor units of each currency; none where nothing was bought. */
  spent: readonly { currency: string; minor: number }[];
}

const day = fc.integer({ min: 0, max: 75 }).map((n) => new Date(Date.UTC(2026, 9, 12 + n)).toISOString().slice(0, 10));
const sum = fc.record({ currency: fc.constantFrom("USD", "JPY", ""), minor: fc.integer({ min: -500, max: 5_000 }) });
const visit = fc.record({
  person: fc.constantFrom("user:a", "user:b", "user:c", "anon:d", "session:e"),
  day,
  spent: fc.oneof(fc.constant([]), fc.array(sum, { maxLength: 3 })),
});

async function save(clientId: string, visits: readonly Visit[]): Promise<void> {
  const days = new Map(visits.map((one) => [`${one.person} ${one.day}`, one]));
  for (const { person, day } of days.values()) {
    const row = { client_id: clientId, person, day, events: 1, last_at: `${day}T10:00:00Z`, last_source: null };
    await ctx.db.insert(personDays).values(row);
  }
  for (const { person, day, spent } of visits) {
    for (const { currency, minor } of spent) {
      const revenue_minor = currency === "" ? 0 : minor;
      const ids = { client_id: clientId, event_id: crypto.randomUUID(), order_id: null, source: null };
      await ctx.db.insert(purchases).values({ ...ids, person, day, at: `${day}T10:00:00Z`, currency, revenue_minor });
    }
  }
}

/** Person by person, as one would count by hand. */
function countByHand(
  visits: readonly Visit[],
  by: CohortBy,
  period: CohortPeriod,
): Map<string, [string[], Record<string, number>]> {
  const counted = new Map<string, [string[], Record<string, number>]>();
  const seen = visits.filter((one) => by === "first_seen" || one.spent.length > 0);
  for (const person of new Set(seen.map((one) => one.person))) {
    const theirs = seen.filter((one) => one.person === person);
    const cohort = periodOf(period, theirs.map((one) => one.day).toSorted()[0]!);
    for (const { day, spent } of theirs) {
      const key = `${cohort} ${periodsBetween(period, cohort, periodOf(period, day))}`;
      const [people, revenue] = counted.get(key) ?? [[], {}];
      if (!people.includes(person)) people.push(person);
      for (const { currency, minor } of spent) {
        if (currency !== "") revenue[currency] = (revenue[currency] ?? 0) + minor;
      }
      counted.set(key, [people, revenue]);
    }
  }
  return counted;
}

test("persons and revenue of each cohort are what counting by hand gives", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(visit, { maxLength: 25 }), async (visits) => {
      const clientId = `cohorts-${crypto.randomUUID()}`;
      await save(clientId, visits);
      const built = await buildCohortRetention(ctx.db, clientId);
      // Once more changes nothing.
      expect(await buildCohortRetention(ctx.db, clientId)).toBe(built);
      const rows = await ctx.db.query.cohortRetention.findMany({
        where: (table, { eq }) => eq(table.client_id, clientId),
      });
      expect(rows).toHaveLength(built);
      for (const by of COHORT_BY) {
        for (const period of COHORT_PERIODS) {
          const found = rows.filter((row) => row.cohort_by === by && row.period === period);
          const wanted = [...countByHand(visits, by, period)].map(([key, [people, revenue]]) => [
            key,
            people.length,
            revenue,
          ]);
          const shown = found.map((row) => [`${row.cohort} ${row.age}`, row.persons, row.revenue]);
          expect(new Set(shown.map((one) => JSON.stringify(sorted(one))))).toEqual(
            new Set(wanted.map((one) => JSON.stringify(sorted(one)))),
          );
          expect(shown).toHaveLength(wanted.length);
        }
      }
    }),
    { numRuns: 15 },
  );
});

/** With the currencies in order. */
function sorted([key, persons, revenue]: readonly unknown[]): unknown[] {
  return [key, persons, Object.entries(revenue as Record<string, number>).toSorted(([a], [b]) => (a < b ? -1 : 1))];
}

test("two clients do not meet, and a cohort is followed no longer than it is said", async () => {
  const [one, other] = [`cohorts-${crypto.randomUUID()}`, `cohorts-${crypto.randomUUID()}`];
  await save(one, [
    { person: "user:a", day: "2026-01-01", spent: [] },
    { person: "user:a", day: "2026-04-01", spent: [] },
    { person: "user:a", day: "2026-04-02", spent: [] },
  ]);
  await save(other, [{ person: "user:a", day: "2026-02-01", spent: [] }]);
  await buildCohortRetention(ctx.db, one);
  await buildCohortRetention(ctx.db, other);
  const rows = await ctx.db.select().from(cohortRetention);
  const daysOf = (client: string) =>
    rows.filter((row) => row.client_id === client && row.period === "day").map((row) => row.age);
  expect(daysOf(one).toSorted((a, b) => a - b)).toEqual([0, 90]);
  expect(daysOf(other)).toEqual([0]);
});
