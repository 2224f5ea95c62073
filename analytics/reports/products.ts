import { sql } from "drizzle-orm";
import { z } from "zod";

import {
  categoryPerformanceDaily,
  productCategoryDaily,
  productPerformanceDaily,
} from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readAsOf } from "./as-of.ts";
import { daysInput, daysShape, readDays } from "./days.ts";
import { decodePlace, encodePlace } from "./place-cursor.ts";
import { share, shareSchema } from "./share.ts";

const SORTS = ["revenue", "purchases", "units", "add_to_cart", "views", "conversion"] as const;
const GROUPS = ["product", "category"] as const;

export const productsInput = z.object({
  ...daysInput,
  group_by: z.enum(GROUPS).default("product").meta({ description: "What a row is about." }),
  category: z.string().min(1).max(256).optional().meta({ description: "This category alone." }),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, "is no currency (ISO 4217)")
    .optional()
    .meta({ description: "Of `sort=revenue`; the one of most purchases where it is left out." }),
  sort: z.enum(SORTS).default("revenue").meta({ description: "Highest first." }),
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: "How many at the most." }),
  cursor: z.string().min(1).max(2_048).optional().meta({ description: "`next_cursor` of the page before." }),
});

const count = z.int();
const productSchema = z
  .object({
    product_id: z.string().nullable().meta({ description: "Null in a row about a category." }),
    category: z.string().nullable().meta({ description: "Null in a row about a product of any category." }),
    views: count,
    add_to_cart: count,
    purchases: count.meta({ description: "Purchases that name it." }),
    units: z.number().meta({ description: "Pieces sold, or kilograms: what quantities are of." }),
    revenue: z.record(z.string(), count).meta({ description: "Minor units by currency." }),
    view_to_cart: shareSchema.meta({ description: "`add_to_cart` for each of `views`; null without any." }),
    cart_to_purchase: shareSchema,
    view_to_purchase: shareSchema,
  })
  .meta({ id: "ProductPerformance" });

export const productsSchema = z
  .object({
    ...daysShape,
    group_by: z.enum(GROUPS),
    currency: z.string().nullable().meta({ description: "By which `sort=revenue` sorts." }),
    products: z.array(productSchema),
    next_cursor: z.string().nullable(),
    as_of: z.iso.datetime().nullable(),
  })
  .meta({ id: "Products" });

export type ProductsReport = z.infer<typeof productsSchema>;
type Product = z.infer<typeof productSchema>;

/** What each product, or category, was looked at, put into carts and bought, highest first. */
export async function reportProducts(
  tx: Transaction,
  clientId: string,
  { start, end, group_by, category, currency: wanted, sort, limit, cursor }: z.output<typeof productsInput>,
): Promise<ProductsReport> {
  const days = await readDays(tx, clientId, { start, end }, Date.now());
  const after = cursor === undefined ? undefined : decodePlace(cursor, "number");
  const isByProduct = group_by === "product";
  const table = isByProduct
    ? category === undefined
      ? productPerformanceDaily
      : productCategoryDaily
    : categoryPerformanceDaily;
  const rows = sql`${table} where client_id = ${clientId} and day >= ${days.start} and day < ${days.end}
    ${category === undefined ? sql`` : sql`and category = ${category}`}`;
  const currency = wanted ?? (await findMainCurrency(tx, rows));
  const key = sql.identifier(isByProduct ? "product_id" : "category");
  const found = await tx.execute<Counts & Record<string, unknown>>(sql`
    with by_currency as (
      select ${key} as key, currency, sum(views) as views, sum(add_to_cart) as add_to_cart, sum(purchases) as purchases,
        sum(units) as units, sum(revenue_minor) as revenue_minor
      from ${rows} group by 1, 2
    ), summed as (
      select key, sum(views)::float8 as views, sum(add_to_cart)::float8 as add_to_cart, sum(purchases)::float8 as purchases,
        sum(units)::float8 as units, coalesce(jsonb_object_agg(currency, revenue_minor) filter (where currency <> ''), '{}') as revenue,
        coalesce(sum(revenue_minor) filter (where currency = ${currency ?? ""}), 0)::float8 as in_currency
      from by_currency group by 1
    ), placed as (select *, ${PLACES[sort]}::float8 as place from summed)
    select * from placed
    ${after === undefined ? sql`` : sql`where place < ${after.place}::float8 or (place = ${after.place}::float8 and key > ${after.key})`}
    order by place desc, key limit ${limit + 1}`);
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    start: days.start,
    end: days.end,
    time_zone: days.timeZone,
    group_by,
    currency,
    products: shown.map((row) => viewProduct(row, isByProduct ? { category: category ?? null } : null)),
    next_cursor: found.length > limit && last ? encodePlace(last) : null,
    as_of: await readAsOf(tx, clientId),
  };
}

interface Counts extends Pick<Product, "views" | "add_to_cart" | "purchases" | "units" | "revenue"> {
  key: string;
  place: number;
}

const PLACES = {
  revenue: sql`in_currency`,
  purchases: sql`purchases`,
  units: sql`units`,
  add_to_cart: sql`add_to_cart`,
  views: sql`views`,
  conversion: sql`coalesce(purchases / nullif(views, 0), -1)`,
} satisfies Record<(typeof SORTS)[number], unknown>;

/** A row about a product of some category, or of any; or about a category. */
function viewProduct(row: Counts, product: { category: string | null } | null): Product {
  const { key, views, add_to_cart, purchases, units, revenue } = row;
  return {
    product_id: product === null ? null : key,
    category: product === null ? key : product.category,
    views,
    add_to_cart,
    purchases,
    units,
    revenue,
    view_to_cart: share(add_to_cart, views),
    cart_to_purchase: share(purchases, add_to_cart),
    view_to_purchase: share(purchases, views),
  };
}

async function findMainCurrency(tx: Transaction, rows: ReturnType<typeof sql>): Promise<string | null> {
  const [row] = await tx.execute<{ currency: string }>(sql`
    select currency from ${rows} and currency <> '' group by 1 order by sum(purchases) desc, currency limit 1`);
  return row?.currency ?? null;
}
