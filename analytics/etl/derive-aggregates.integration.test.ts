import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { DAY_MS } from "../../core/time.ts";
import type { Context } from "../../platform/context.ts";
import { builds, cohortRetention, customerLtv, ltvModels, purchases } from "../../platform/postgres/schema.ts";
import { createTestContext } from "../../test/support/context.ts";
import { deriveAggregates } from "./derive-aggregates.ts";

const NOW = Date.parse("2026-11-21T10:00:00.000Z");
let ctx: Context;
beforeAll(() => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());

async function buy(client_id: string, day: string, event_id = crypto.randomUUID()): Promise<void> {
  const money = { currency: "USD", revenue_minor: 1_000, order_id: null, source: null };
  await ctx.db
    .insert(purchases)
    .values({ client_id, day, event_id, person: "user:a", at: `${day}T10:00:00Z`, ...money });
  // As a day's build does it.
  const row = { client_id, aggregate: "purchases", day, digest: event_id, sources: [], rows: 1 };
  const target = [builds.client_id, builds.aggregate, builds.day];
  await ctx.db
    .insert(builds)
    .values(row)
    .onConflictDoUpdate({ target, set: { digest: event_id } });
}

test("what is made of purchases is made anew when they change, lifetime values with each day too, and else not", async () => {
  const clientId = `derive-${crypto.randomUUID()}`;
  await buy(clientId, "2026-11-01");
  expect(await deriveAggregates(ctx.db, clientId, NOW)).toBe(3);
  expect(await deriveAggregates(ctx.db, clientId, NOW + 1_000)).toBe(0);
  expect(await deriveAggregates(ctx.db, clientId, NOW + DAY_MS)).toBe(1);
  await buy(clientId, "2026-11-08");
  expect(await deriveAggregates(ctx.db, clientId, NOW + DAY_MS)).toBe(2);
  const [customer] = await ctx.db.select().from(customerLtv).where(eq(customerLtv.client_id, clientId));
  expect(customer).toMatchObject({ person: "user:a", orders: 2, revenue_minor: 2_000, purchase_days: 2 });
  const [model] = await ctx.db.select().from(ltvModels).where(eq(ltvModels.client_id, clientId));
  expect(model).toMatchObject({ currency: "USD", observed_until: "2026-11-21", customers: 1 });
  const cohorts = await ctx.db.select().from(cohortRetention).where(eq(cohortRetention.client_id, clientId));
  const weeks = cohorts.filter((row) => row.period === "week").map((row) => `${row.age}: ${row.persons}`);
  expect(weeks.toSorted()).toEqual(["0: 1", "1: 1"]);
  const booked = await ctx.db.select().from(builds).where(eq(builds.client_id, clientId));
  expect(booked.filter((row) => row.day === "0001-01-01").map((row) => [row.aggregate, row.rows])).toEqual(
    expect.arrayContaining([["customer_ltv", 1]]),
  );
});
