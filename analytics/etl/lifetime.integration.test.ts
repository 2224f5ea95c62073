import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Context } from "../../platform/context.ts";
import { cohortRetention, customerLtv, personDays, purchases } from "../../platform/postgres/schema.ts";
import { createEtlScene, type EtlScene } from "../../test/support/etl-scene.ts";

let scene: EtlScene;
let ctx: Context;
let clientId: string;
beforeAll(async () => {
  scene = await createEtlScene();
  ({ ctx } = scene);
  clientId = await scene.addClient({ timezone: "Asia/Kolkata" });
});
afterAll(() => scene?.close());

const bought = (order_id: string, revenue: string) => ({ order_id, revenue, currency: "INR" });

test("from events to lifetimes: days of the client's zone, a log-in that comes later, and machines", async () => {
  await scene.happen(clientId, [
    // Half past eight in the evening is two in the morning of the next day.
    { at: "2026-11-01T20:30:00.000Z", type: "purchase", anon: "phone", props: bought("o-1", "100.00") },
    { at: "2026-11-02T09:00:00.000Z", type: "product_view", anon: "phone" },
    { at: "2026-11-02T09:00:00.000Z", type: "product_view", anon: "crawler", isBot: true },
    { at: "2026-11-10T09:00:00.000Z", type: "purchase", user: "meera", isBot: true, props: bought("o-2", "50.50") },
  ]);
  const readBuyers = async () => {
    const rows = await ctx.db.select().from(customerLtv).where(eq(customerLtv.client_id, clientId));
    return rows.map((row) => [row.person, row.orders, row.revenue_minor, row.first_day, row.last_day]).toSorted();
  };
  expect(await readBuyers()).toEqual([
    ["anon:phone", 1, 10_000, "2026-11-02", "2026-11-02"],
    ["user:meera", 1, 5_050, "2026-11-10", "2026-11-10"],
  ]);
  const days = await ctx.db.select().from(personDays).where(eq(personDays.client_id, clientId));
  expect(days.map((row) => `${row.day} ${row.person} ${row.events}`).toSorted()).toEqual([
    "2026-11-02 anon:phone 2",
    "2026-11-10 user:meera 1",
  ]);

  await scene.happen(clientId, [{ at: "2026-11-12T09:00:00.000Z", type: "page_view", anon: "phone", user: "meera" }]);
  expect(await readBuyers()).toEqual([["user:meera", 2, 15_050, "2026-11-02", "2026-11-10"]]);
  const owners = await ctx.db.select().from(purchases).where(eq(purchases.client_id, clientId));
  expect(owners.map((row) => `${row.day} ${row.order_id} ${row.person}`).toSorted()).toEqual([
    "2026-11-02 o-1 user:meera",
    "2026-11-10 o-2 user:meera",
  ]);
  const cohorts = await ctx.db.select().from(cohortRetention).where(eq(cohortRetention.client_id, clientId));
  const weeks = cohorts.filter((row) => row.period === "week" && row.cohort_by === "first_purchase");
  expect(weeks.map((row) => `${row.cohort} ${row.age} ${row.persons} ${row.revenue["INR"]}`).toSorted()).toEqual([
    "2026-11-02 0 1 10000",
    "2026-11-02 1 1 5050",
  ]);
});
