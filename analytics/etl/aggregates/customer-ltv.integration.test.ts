import { eq } from "drizzle-orm";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { fitBgNbd } from "../../../core/lifetime-value/bg-nbd.ts";
import { expectedAverageValue, fitGammaGamma } from "../../../core/lifetime-value/gamma-gamma.ts";
import { lookAhead } from "../../../core/lifetime-value/predicted-value.ts";
import { summarisePurchases } from "../../../core/lifetime-value/purchase-summary.ts";
import type { Context } from "../../../platform/context.ts";
import { customerLtv, purchases } from "../../../platform/postgres/schema.ts";
import { createTestContext } from "../../../test/support/context.ts";
import { buildCustomerLtv } from "./customer-ltv.ts";

const UNTIL = "2026-03-31";
let ctx: Context;
beforeAll(() => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());

interface Purchase {
  person: string;
  day: string;
  currency: string;
  minor: number;
  order: string | null;
}

const purchase = fc.record({
  person: fc.constantFrom("user:a", "user:b", "user:c", "anon:d", "session:e", "user:f"),
  // Some of them after the last day that counts.
  day: fc.integer({ min: 0, max: 95 }).map((n) => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10)),
  currency: fc.constantFrom("USD", "USD", "JPY", ""),
  minor: fc.integer({ min: 1, max: 90_000 }),
  order: fc.option(fc.constantFrom("o1", "o2")),
});

async function save(clientId: string, all: readonly Purchase[]): Promise<void> {
  for (const [i, { person, day, currency, minor, order }] of all.entries()) {
    const revenue_minor = currency === "" ? 0 : minor;
    const ids = { client_id: clientId, event_id: `e${i}`, order_id: order, source: null };
    await ctx.db.insert(purchases).values({ ...ids, person, day, at: `${day}T10:00:00Z`, currency, revenue_minor });
  }
}

const groupOf = (all: readonly Purchase[], key: (one: Purchase) => string) => [...Map.groupBy(all, key).entries()];
const minorUnits = (currency: string) => (currency === "JPY" ? 1 : 100);

/** Customer by customer, with the plain functions of core. */
function countByHand(all: readonly Purchase[]) {
  const seen = all.filter((one) => one.day <= UNTIL);
  const people = groupOf(seen, (one) => one.person).map(([person, theirs]) => {
    const summary = summarisePurchases(
      theirs.map(({ day }) => ({ day, revenue: 0 })),
      UNTIL,
    )!;
    const days = [...new Set(theirs.map((one) => one.day))].toSorted();
    return { person, theirs, summary, days };
  });
  const model = fitBgNbd(people.map((one) => one.summary));
  const rows = people.flatMap(({ person, theirs, summary, days }) => {
    const inAll = groupOf(theirs, (one) => `${one.currency} ${one.day}`).length;
    return groupOf(theirs, (one) => one.currency).map(([currency, own]) => {
      const later = groupOf(
        own.filter((one) => one.day > days[0]!),
        (one) => one.day,
      );
      const spent = later.flatMap(([, some]) => some).reduce((sum, one) => sum + one.minor, 0) / minorUnits(currency);
      const spending = { frequency: later.length, mean: later.length === 0 ? 0 : spent / later.length };
      const share = groupOf(own, (one) => one.day).length / inAll;
      const revenue = currency === "" ? 0 : own.reduce((sum, one) => sum + one.minor, 0);
      // An order without an id is one by itself.
      const orders = groupOf(own, (one) => String(one.order ?? all.indexOf(one))).length;
      return { person, currency, days, summary, spending, share, revenue, orders };
    });
  });
  return rows.map((row) => {
    const peers = rows.filter((other) => other.currency === row.currency).map((other) => other.spending);
    const money = row.currency === "" ? null : fitGammaGamma(peers);
    const outlook = model && lookAhead(model, row.summary);
    const average = money && expectedAverageValue(money, row.spending);
    const predicted = average === null || !outlook ? null : average * row.share * outlook.discounted_purchases;
    return { ...row, outlook, predicted: predicted === null ? null : predicted * minorUnits(row.currency) };
  });
}

const near = (found: number | null, wanted: number | null | undefined) =>
  wanted === null || wanted === undefined ? found === null : Math.abs(found! - wanted) <= 1e-6 * (1 + Math.abs(wanted));

test("every customer's figures are what counting by hand and the plain models give; again changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(purchase, { maxLength: 40 }), async (all) => {
      const clientId = `ltv-${crypto.randomUUID()}`;
      await save(clientId, all);
      const built = await buildCustomerLtv(ctx.db, clientId, UNTIL);
      const read = () => ctx.db.query.customerLtv.findMany({ where: (table, { eq }) => eq(table.client_id, clientId) });
      const rows = await read();
      const wanted = countByHand(all);
      expect([built, rows.length]).toEqual([wanted.length, wanted.length]);
      for (const one of wanted) {
        const row = rows.find((other) => other.person === one.person && other.currency === one.currency)!;
        expect(row).toMatchObject({
          orders: one.orders,
          revenue_minor: one.revenue,
          average_order_minor: Math.round(one.revenue / one.orders),
          first_day: one.days[0],
          last_day: one.days.at(-1),
          purchase_days: one.days.length,
        });
        expect(near(row.probability_alive, one.outlook?.probability_alive)).toBe(true);
        expect(near(row.expected_purchases, one.outlook?.expected_purchases)).toBe(true);
        expect(near(row.predicted_minor, one.predicted)).toBe(true);
      }
      await buildCustomerLtv(ctx.db, clientId, UNTIL);
      expect(new Set((await read()).map((row) => JSON.stringify(row)))).toEqual(
        new Set(rows.map((row) => JSON.stringify(row))),
      );
    }),
    { numRuns: 20 },
  );
});

test("customers who are there no more, because their purchases turned out to be another's, go", async () => {
  const clientId = `ltv-${crypto.randomUUID()}`;
  await save(clientId, [{ person: "anon:x", day: "2026-01-01", currency: "USD", minor: 500, order: null }]);
  await buildCustomerLtv(ctx.db, clientId, UNTIL);
  await ctx.db.update(purchases).set({ person: "user:y" }).where(eq(purchases.client_id, clientId));
  await buildCustomerLtv(ctx.db, clientId, UNTIL);
  const rows = await ctx.db.select().from(customerLtv);
  expect(rows.filter((row) => row.client_id === clientId).map((row) => row.person)).toEqual(["user:y"]);
});
