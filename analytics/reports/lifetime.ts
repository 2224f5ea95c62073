import { and, desc, eq, sql } from "drizzle-orm";
import { z } from "zod";

import { customerLtv, personDays, purchases } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readAsOf } from "./as-of.ts";

const LATEST_ORDERS = 50;

const count = z.int();
const orderSchema = z.object({
  order_id: z.string().nullable(),
  event_id: z.string(),
  at: z.iso.datetime(),
  currency: z.string().nullable().meta({ description: "Null where the event named no money that can be read." }),
  revenue_minor: count.nullable(),
  source: z.string().nullable(),
});
const valueSchema = z.object({
  currency: z.string().nullable(),
  orders: count,
  revenue_minor: count,
  average_order_minor: count,
  expected_average_minor: z.number().nullable(),
  predicted_minor: z.number().nullable(),
});

export const lifetimeSchema = z.object({
  summary: z.object({
    first_seen: z.iso.date().nullable(),
    last_seen: z.iso.date().nullable(),
    days_active: count,
    events: count,
    purchases: count,
    first_purchase: z.iso.date().nullable(),
    last_purchase: z.iso.date().nullable(),
    values: z.array(valueSchema).meta({ description: "One for each currency." }),
  }),
  orders: z.array(orderSchema).meta({ description: `The latest ${LATEST_ORDERS}, newest first.` }),
  last_touch: z.object({ at: z.iso.datetime(), source: z.string().nullable() }).nullable(),
  scores: z.object({
    purchase_frequency: z.number().nullable(),
    probability_alive: z.number().nullable(),
    expected_purchases: z.number().nullable(),
  }),
  as_of: z.iso.datetime().nullable(),
});

export type Lifetime = z.infer<typeof lifetimeSchema>;

/** All that the aggregates know of one person; who never did anything has zeros. */
export async function reportLifetime(tx: Transaction, clientId: string, person: string): Promise<Lifetime> {
  const isValue = and(eq(customerLtv.client_id, clientId), eq(customerLtv.person, person));
  const values = await tx.query.customerLtv.findMany({ where: isValue, orderBy: customerLtv.currency });
  const isOrder = and(eq(purchases.client_id, clientId), eq(purchases.person, person));
  const orders = await tx.query.purchases.findMany({
    where: isOrder,
    orderBy: [desc(purchases.at), desc(purchases.event_id)],
    limit: LATEST_ORDERS,
  });
  const isDay = and(eq(personDays.client_id, clientId), eq(personDays.person, person));
  const last = await tx.query.personDays.findFirst({ where: isDay, orderBy: desc(personDays.day) });
  const [score] = values;
  return {
    summary: { ...(await readTotals(tx, clientId, person)), values: values.map(viewValue) },
    orders: orders.map(viewOrder),
    last_touch: last ? { at: new Date(last.last_at).toISOString(), source: last.last_source } : null,
    scores: {
      purchase_frequency: score?.purchase_frequency ?? null,
      probability_alive: score?.probability_alive ?? null,
      expected_purchases: score?.expected_purchases ?? null,
    },
    as_of: await readAsOf(tx, clientId),
  };
}

type Totals = Omit<Lifetime["summary"], "values">;

async function readTotals(tx: Transaction, clientId: string, person: string): Promise<Totals> {
  const [row] = await tx.execute<Totals & Record<string, unknown>>(sql`
    select * from (
      select min(day)::text as first_seen, max(day)::text as last_seen, count(*)::int as days_active,
        coalesce(sum(events), 0)::float8 as events
      from ${personDays} where client_id = ${clientId} and person = ${person}
    ) seen, (
      select count(*)::int as purchases, min(day)::text as first_purchase, max(day)::text as last_purchase
      from ${purchases} where client_id = ${clientId} and person = ${person}
    ) bought`);
  return { ...row! };
}

function viewValue(row: typeof customerLtv.$inferSelect): z.infer<typeof valueSchema> {
  const { orders, revenue_minor, average_order_minor, expected_average_minor, predicted_minor } = row;
  const currency = row.currency === "" ? null : row.currency;
  return { currency, orders, revenue_minor, average_order_minor, expected_average_minor, predicted_minor };
}

function viewOrder(row: typeof purchases.$inferSelect): z.infer<typeof orderSchema> {
  const money = row.currency === "" ? { currency: null, revenue_minor: null } : row;
  const { order_id, event_id, source } = row;
  const { currency, revenue_minor } = money;
  return { order_id, event_id, at: new Date(row.at).toISOString(), currency, revenue_minor, source };
}
