import { randomUUID } from "node:crypto";

import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Context } from "../../platform/context.ts";
import { purchases } from "../../platform/postgres/schema.ts";
import { readCdnowPurchases } from "../../test/support/cdnow-purchases.ts";
import { createTestContext } from "../../test/support/context.ts";
import { buildCohortRetention } from "../etl/aggregates/cohort-retention.ts";
import { readCustomers } from "./read-customers.ts";

let ctx: Context;
beforeAll(() => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());

/** A thousandth of this is enough where no loop runs within another. */
const WITHIN = "20s";

async function save(clientId: string, count?: number): Promise<number> {
  const rows = readCdnowPurchases().slice(0, count);
  for (let i = 0; i < rows.length; i += 2_000) {
    const values = rows.slice(i, i + 2_000).map(({ person, day, revenue_minor, nth }) => {
      const ids = { client_id: clientId, event_id: `${person}-${nth}`, order_id: `${person}-${nth}` };
      return { ...ids, day, person, at: `${day}T12:00:00Z`, currency: "USD", revenue_minor, source: null };
    });
    await ctx.db.insert(purchases).values(values);
  }
  return rows.length;
}

test("a client that came after PostgreSQL last counted its rows does not take minutes", async () => {
  for (let i = 0; i < 5; i++) await save(`known-${randomUUID()}`, 2_000);
  await ctx.db.execute(sql`analyze analytics.purchases`);
  const clientId = `new-${randomUUID()}`;
  const count = await save(clientId);
  const { customers, rows } = await ctx.db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('statement_timeout', ${WITHIN}, true)`);
    return readCustomers(tx, clientId, "1997-09-30");
  });
  expect(customers).toHaveLength(2_357);
  expect(rows.reduce((sum, row) => sum + row.orders, 0)).toBe(count);
  expect(await buildCohortRetention(ctx.db, clientId)).toBeGreaterThan(100);
});
