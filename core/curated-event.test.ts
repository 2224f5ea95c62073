import { describe, expect, it } from "vitest";

import { type CommerceFacts, readCommerce } from "./curated-event.ts";

const NOTHING: CommerceFacts = {
  product_id: null,
  category: null,
  quantity: null,
  revenue_minor: null,
  currency: null,
  revenue_fault: null,
  order_id: null,
  items: null,
};

describe("readCommerce", () => {
  it.each<[string, Record<string, unknown> | null, Partial<CommerceFacts>]>([
    ["page_view", null, {}],
    [
      "product_view",
      { product_id: " A-1 ", price: 129, currency: "INR", category: "shirts" },
      { product_id: "A-1", category: "shirts" },
    ],
    ["product_view", { sku: 7 }, { product_id: "7" }],
    ["add_to_cart", { product_id: "a", quantity: 2, price: 3 }, { product_id: "a", quantity: 2 }],
    [
      "purchase",
      { price: "129.00", quantity: 3, currency: "inr" },
      { quantity: 3, revenue_minor: 38_700, currency: "INR" },
    ],
    ["purchase", { price: 10.5, currency: "JPY" }, { revenue_minor: 11, currency: "JPY" }],
    ["purchase", { revenue: 0.1 + 0.2, price: 9, currency: "EUR" }, { revenue_minor: 30, currency: "EUR" }],
    [
      "purchase",
      { value: 1.005, currency: "USD", order_id: "o" },
      { revenue_minor: 101, currency: "USD", order_id: "o" },
    ],
    ["purchase", { revenue: -5, currency: "KWD" }, { revenue_minor: -5_000, currency: "KWD" }],
    ["purchase", { revenue: 5 }, { revenue_minor: 500, currency: "XXX" }],
    ["purchase", { revenue: "1,299", currency: "INR" }, { revenue_fault: "amount" }],
    ["purchase", { revenue: 1e300, currency: "INR" }, { revenue_fault: "amount" }],
    ["purchase", { revenue: "much", value: 5, currency: "INR" }, { revenue_fault: "amount" }],
    ["purchase", { revenue: 12, currency: "rupees" }, { revenue_fault: "currency" }],
    ["purchase", { price: 12, quantity: 0 }, { revenue_fault: "amount" }],
    ["purchase", { order_id: 12 }, { order_id: "12" }],
    ["subscription_renewed", { revenue: 12, currency: "USD" }, { revenue_minor: 1_200, currency: "USD" }],
    ["subscription_renewed", { value: 12, currency: "USD" }, {}],
  ])("%s %j", (eventType, props, expected) => {
    expect(readCommerce(eventType, props)).toEqual({ ...NOTHING, ...expected });
  });

  it("takes an order apart into its lines", () => {
    const items = [
      { product_id: "a", price: 1.25, quantity: 3, category: "x" },
      { sku: "b", price: "0.335" },
    ];
    expect(readCommerce("purchase", { items, currency: "EUR" })).toEqual({
      ...NOTHING,
      revenue_minor: 375 + 34,
      currency: "EUR",
      items: [
        { product_id: "a", category: "x", quantity: 3, revenue_minor: 375 },
        { product_id: "b", category: null, quantity: null, revenue_minor: 34 },
      ],
    });
    expect(readCommerce("purchase", { products: items.slice(1), revenue: 9, currency: "EUR" })).toEqual({
      ...NOTHING,
      product_id: "b",
      revenue_minor: 900,
      currency: "EUR",
    });
  });

  it("does not call the sum of the lines with a price the sum of all", () => {
    const items = [{ product_id: "a", price: 1 }, { product_id: "b" }];
    const facts = readCommerce("purchase", { items, currency: "EUR" });
    expect(facts).toMatchObject({ revenue_minor: null, revenue_fault: "amount" });
    expect(facts.items?.map((item) => item.revenue_minor)).toEqual([null, null]);
  });

  it("leaves the lines of a cart without revenue", () => {
    const items = [
      { product_id: "a", price: 1 },
      { product_id: "b", price: 2 },
    ];
    const facts = readCommerce("add_to_cart", { items, currency: "EUR" });
    expect(facts.items?.map((item) => item.revenue_minor)).toEqual([null, null]);
    expect(facts.revenue_minor).toBeNull();
  });

  it("reads at most 200 lines, and overlooks what is no line", () => {
    const items = Array.from({ length: 300 }, (_, i) => ({ product_id: `p${i}` }));
    expect(readCommerce("purchase", { items }).items).toHaveLength(200);
    expect(readCommerce("purchase", { items: [1, null, "x"], product_id: "a" })).toMatchObject({ product_id: "a" });
  });
});
