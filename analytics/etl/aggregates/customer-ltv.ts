import { eq, sql } from "drizzle-orm";

import { DEFAULT_HORIZON } from "../../../core/lifetime-value/predicted-value.ts";
import type { CustomerModels } from "../../../core/lifetime-value/model-customers.ts";
import { CURRENCY_EXPONENTS } from "../../../core/money.ts";
import type { Database } from "../../../platform/postgres/database.ts";
import { customerLtv, ltvModels } from "../../../platform/postgres/schema.ts";
import { fitModels } from "../../lifetime-value/fit-models.ts";
import { type Customers, readCustomers } from "../../lifetime-value/read-customers.ts";

/** Of parameters a statement takes at most 65,535. */
const ROWS_AT_ONCE = 2_000;

/**
 * Replaces the client's lifetime values by those as of the end of the day `observedUntil`, its last whole one. Reads
 * `analytics.purchases` only; the same purchases give the same rows. Answers how many there are.
 */
export async function buildCustomerLtv(db: Database, clientId: string, observedUntil: string): Promise<number> {
  const found = await db.transaction((tx) => readCustomers(tx, clientId, observedUntil));
  const models = await fitModels(found.customers);
  const rows = found.rows.map((row) => toRow(clientId, row, found, models));
  const currencies = new Set(rows.map((row) => row.currency));
  await db.transaction(async (tx) => {
    // Two that build at once: the later one waits, and then replaces.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`customer_ltv ${clientId}`}, 0))`);
    await tx.delete(customerLtv).where(eq(customerLtv.client_id, clientId));
    await tx.delete(ltvModels).where(eq(ltvModels.client_id, clientId));
    for (let i = 0; i < rows.length; i += ROWS_AT_ONCE) {
      await tx.insert(customerLtv).values(rows.slice(i, i + ROWS_AT_ONCE));
    }
    for (const currency of currencies) {
      await tx.insert(ltvModels).values({
        client_id: clientId,
        currency,
        observed_until: observedUntil,
        customers: found.customers.length,
        bg_nbd: models.bg_nbd,
        gamma_gamma: models.gamma_gamma[currency] ?? null,
      });
    }
  });
  return rows.length;
}

/** What is looked ahead by, for the reports. */
export const LTV_HORIZON = DEFAULT_HORIZON;

function toRow(
  clientId: string,
  { at, place, ...row }: Customers["rows"][number],
  { customers }: Customers,
  { outlooks, prospects }: CustomerModels,
): typeof customerLtv.$inferInsert {
  const { age, frequency } = customers[at]!;
  const outlook = outlooks[at];
  const prospect = place === null ? undefined : prospects[at]?.[place];
  const minor = (major: number | null | undefined) =>
    major === null || major === undefined ? null : major * 10 ** (CURRENCY_EXPONENTS.get(row.currency) ?? 2);
  return {
    client_id: clientId,
    ...row,
    average_order_minor: Math.round(row.revenue_minor / row.orders),
    purchase_frequency: age > 0 ? frequency / age : null,
    probability_alive: outlook?.probability_alive ?? null,
    expected_purchases: outlook?.expected_purchases ?? null,
    expected_average_minor: minor(prospect?.average),
    predicted_minor: minor(prospect?.value),
  };
}
