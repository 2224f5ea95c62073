import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../../core/errors.ts";
import { customerLtv, ltvModels } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { LTV_HORIZON } from "../etl/aggregates/customer-ltv.ts";
import { readAsOf } from "./as-of.ts";

const SORTS = ["predicted", "historic"] as const;

export const ltvInput = z.object({
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional()
    .meta({ description: "ISO 4217; the one that most customers paid in where it is left out." }),
  sort: z.enum(SORTS).default("predicted").meta({ description: "Which value comes first, highest first." }),
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: "How many at the most." }),
  cursor: z.string().min(1).max(2_048).optional().meta({ description: "`next_cursor` of the page before." }),
});

const count = z.int();
const minor = z.number().nullable().meta({ description: "Minor units." });
const customerSchema = z
  .object({
    person: z.string().meta({ description: "`user:…`, `anon:…` or `session:…`." }),
    orders: count,
    revenue_minor: count.meta({ description: "So far." }),
    average_order_minor: count,
    first_day: z.iso.date().meta({ description: "Of purchases in any currency, in the client's time zone." }),
    last_day: z.iso.date(),
    purchase_days: count,
    purchase_frequency: z.number().nullable().meta({ description: "Purchase days a week after the first." }),
    probability_alive: z
      .number()
      .nullable()
      .meta({ description: "That they are still customers; null without a model." }),
    expected_purchases: z.number().nullable().meta({ description: "Purchase days within the horizon." }),
    expected_average_minor: minor,
    predicted_minor: minor.meta({ description: "What they will bring within the horizon, at its worth of today." }),
  })
  .meta({ id: "CustomerLtv" });

const summarySchema = z.object({
  customers: count,
  orders: count,
  revenue_minor: count,
  average_order_minor: count.nullable(),
  average_customer_minor: z.number().nullable(),
  expected_purchases: z.number().nullable(),
  predicted_minor: minor,
});

export const ltvSchema = z
  .object({
    currency: z.string().nullable().meta({ description: "Null where nobody has bought anything yet." }),
    observed_until: z.iso.date().nullable().meta({ description: "The last day that predictions know of." }),
    horizon: z.object({ weeks: z.number(), discount_per_year: z.number() }),
    summary: summarySchema,
    customers: z.array(customerSchema),
    next_cursor: z.string().nullable(),
    as_of: z.iso.datetime().nullable(),
  })
  .meta({ id: "Ltv" });

export type LtvReport = z.infer<typeof ltvSchema>;

/** What customers brought and will bring, in one currency: all of them summed up, and a page of them. */
export async function reportLtv(
  tx: Transaction,
  clientId: string,
  { currency: wanted, sort, limit, cursor }: z.output<typeof ltvInput>,
): Promise<LtvReport> {
  const currency = wanted ?? (await findMainCurrency(tx, clientId));
  const model = await tx.query.ltvModels.findFirst({
    where: and(eq(ltvModels.client_id, clientId), eq(ltvModels.currency, currency ?? "")),
  });
  const rows = await readPage(tx, clientId, { currency: currency ?? "", sort, limit: limit + 1, cursor });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    currency,
    observed_until: model?.observed_until ?? null,
    horizon: { weeks: LTV_HORIZON.weeks, discount_per_year: LTV_HORIZON.discountPerYear },
    summary: await readSummary(tx, clientId, currency ?? ""),
    customers: shown.map(project),
    next_cursor: rows.length > limit && last ? encode({ place: last.place, person: last.person }) : null,
    as_of: await readAsOf(tx, clientId),
  };
}

/** Without the place by which it was sorted. */
function project(row: Customer): Customer {
  return Object.fromEntries(
    Object.keys(customerSchema.shape).map((name) => [name, row[name as keyof Customer]]),
  ) as Customer;
}

type Customer = z.infer<typeof customerSchema>;
interface PageQuery {
  currency: string;
  sort: (typeof SORTS)[number];
  limit: number;
  cursor: string | undefined;
}

async function readPage(
  tx: Transaction,
  clientId: string,
  { currency, sort, limit, cursor }: PageQuery,
): Promise<(Customer & { place: number })[]> {
  const place = sort === "predicted" ? sql`coalesce(predicted_minor, -1)` : sql`revenue_minor`;
  const after = cursor === undefined ? undefined : decode(cursor);
  const found = await tx.execute<Customer & { place: number } & Record<string, unknown>>(sql`
    select person, orders, revenue_minor::float8 as revenue_minor, average_order_minor::float8 as average_order_minor,
      first_day::text, last_day::text, purchase_days, purchase_frequency, probability_alive, expected_purchases,
      expected_average_minor, predicted_minor, ${place}::float8 as place
    from ${customerLtv}
    where client_id = ${clientId} and currency = ${currency}
      ${after && sql`and (${place} < ${after.place}::float8 or (${place} = ${after.place}::float8 and person > ${after.person}))`}
    order by ${place} desc, person limit ${limit}`);
  return [...found];
}

async function readSummary(
  tx: Transaction,
  clientId: string,
  currency: string,
): Promise<z.infer<typeof summarySchema>> {
  const [row] = await tx.execute<z.infer<typeof summarySchema> & Record<string, unknown>>(sql`
    select count(*)::int as customers, coalesce(sum(orders), 0)::float8 as orders,
      coalesce(sum(revenue_minor), 0)::float8 as revenue_minor,
      round(sum(revenue_minor) / nullif(sum(orders), 0))::float8 as average_order_minor,
      avg(revenue_minor)::float8 as average_customer_minor,
      sum(expected_purchases)::float8 as expected_purchases, sum(predicted_minor)::float8 as predicted_minor
    from ${customerLtv} where client_id = ${clientId} and currency = ${currency}`);
  return { ...row! };
}

/** What was named as no money comes last. */
async function findMainCurrency(tx: Transaction, clientId: string): Promise<string | null> {
  const [row] = await tx.execute<{ currency: string }>(sql`
    select currency from ${customerLtv} where client_id = ${clientId}
    group by 1 order by currency = '', count(*) desc, currency limit 1`);
  return row?.currency ?? null;
}

const placeSchema = z.object({ place: z.number(), person: z.string() });

function encode(place: z.infer<typeof placeSchema>): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

function decode(cursor: string): z.infer<typeof placeSchema> {
  try {
    return placeSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch (error) {
    const faults = [{ path: "/cursor", reason: "is not a cursor that this list gave out" }];
    throw new AppError("invalid", "The query is not valid.", { faults, cause: error });
  }
}
