import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type CommerceFacts, readCommerce } from "../../core/curated-event.ts";
import { useWarehouse } from "../../test/support/use-warehouse.ts";
import { readCommerceSql } from "./commerce-sql.ts";
import { query, type Row } from "./deps.ts";

const { warehouse } = useWarehouse("512MB");

const NAMES = [
  "product_id", "sku", "category", "price", "quantity", "revenue", "value", "currency", "order_id",
] as const; // prettier-ignore
const amount = fc.oneof(
  fc.integer({ min: -10, max: 1e6 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: 0, max: 1000, noNaN: true }),
  fc.integer({ min: -1e5, max: 1e7 }).map((cents) => cents / 100),
  fc.constantFrom(
    "129.00",
    " 1.5 ",
    "+2",
    "-0.005",
    "1,299",
    "1e3",
    "",
    "x",
    "999999999999",
    "1234567890123",
    0.1 + 0.2,
  ),
  fc.constantFrom(null, true, [], {}, 1e-7, 0.00005, 1e21, 0.005, 1.005, 999_999_999_999, -0, 0),
);
const words = fc.oneof(
  fc.constantFrom("a", " b ", "", "  ", "€", "x".repeat(300), 7, 7.5, -0, 12.0, 2 ** 53, true, null, "\t1\n"),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const code = fc.constantFrom("INR", "usd", " eur ", "JPY", "KWD", "CLF", "XXX", "rupees", "", null, 5);
const line = fc.record(
  { product_id: words, sku: words, category: words, price: amount, quantity: fc.oneof(fc.constant(2), amount) },
  { requiredKeys: [] },
);
const items = fc.oneof(fc.array(fc.oneof({ arbitrary: line, weight: 9 }, amount), { maxLength: 4 }), amount);
const props = fc.record(
  {
    product_id: words, sku: words, category: words, price: amount, quantity: amount, revenue: amount, value: amount,
    currency: code, order_id: words, items, products: items,
  }, // prettier-ignore
  { requiredKeys: [] },
);
const event = fc.tuple(fc.constantFrom("purchase", "purchase", "product_view"), fc.option(props));

async function readBySql(events: readonly [string, object | null][]): Promise<Row[]> {
  return warehouse.use(async (connection) => {
    await connection.run("CREATE TEMP TABLE rows (n INTEGER, event_type VARCHAR, props JSON)");
    const insert = await connection.prepare("INSERT INTO rows VALUES ($1, $2, $3)");
    for (const [n, [eventType, given]] of events.entries()) {
      insert.bindInteger(1, n);
      insert.bindVarchar(2, eventType);
      if (given === null) insert.bindNull(3);
      else insert.bindVarchar(3, JSON.stringify(given));
      await insert.run();
    }
    return query(connection, `SELECT * FROM (${readCommerceSql("rows")}) ORDER BY n`);
  });
}

function numeric(value: unknown): number | null {
  return value === null ? null : Number(value);
}

function toFacts(row: Row): CommerceFacts {
  const lines = row["items"] as Row[] | null;
  return {
    product_id: row["product_id"], category: row["category"], quantity: numeric(row["quantity"]),
    revenue_minor: numeric(row["revenue_minor"]), currency: row["currency"], revenue_fault: row["revenue_fault"],
    order_id: row["order_id"],
    items: lines && lines.map((one) => ({ ...one, quantity: numeric(one["quantity"]), revenue_minor: numeric(one["revenue_minor"]) })),
  } as CommerceFacts; // prettier-ignore
}

describe("commerce in SQL", () => {
  it("adds no column but those of the facts", async () => {
    const [row = {}] = await readBySql([["purchase", { price: 1 }]]);
    const names = ["n", "event_type", "props", ...Object.keys(readCommerce("purchase", null))];
    expect(Object.keys(row).toSorted()).toEqual(names.toSorted());
    expect(NAMES.length).toBe(9);
  });

  it("is what core says of the same event", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 100, maxLength: 150 }), async (events) => {
        const rows = await readBySql(events);
        const parsed = events.map(
          ([type, given]) => [type, JSON.parse(JSON.stringify(given)) as typeof given] as const,
        );
        for (const [i, [type, given]] of parsed.entries()) {
          expect({ given, ...toFacts(rows[i]!) }).toEqual({ given, ...readCommerce(type, given) });
        }
      }),
      { numRuns: 5, endOnFailure: true },
    );
  });
});
