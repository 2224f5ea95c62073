import * as fc from "fast-check";
import { expect, test } from "vitest";

import { type Cart, changeCart, mergeCarts } from "./cart.ts";

const T = (minute: number) => `2026-11-21T10:${String(minute).padStart(2, "0")}:00.000Z`;
const event = (event_type: string, props: Record<string, unknown> = {}) => ({ event_type, props });
type Change = [type: string, props: Record<string, unknown>, at?: string];
const fold = (...changes: Change[]) =>
  changes.reduce<Cart | undefined>(
    (cart, [type, props, at], n) => changeCart(cart, event(type, props), at ?? T(n)),
    undefined,
  );

test("adds, adds up, and takes out", () => {
  const cart = fold(
    ["add_to_cart", { product_id: "a", price: 10, quantity: 2, currency: "INR" }],
    ["add_to_cart", { product_id: "a" }],
    ["add_to_cart", { items: [{ product_id: "b", price: "2.50" }, { sku: "c", price: 1 }, { name: "nothing" }, null] }],
    ["remove_from_cart", { product_id: "a", quantity: 1 }],
    ["remove_from_cart", { product_id: "c" }],
    ["remove_from_cart", { product_id: "unknown" }],
  );
  expect(cart).toMatchObject({
    cart_id: "default",
    currency: "INR",
    value: 22.5,
    lines: { a: { quantity: 2, price: 10 }, b: { quantity: 1, price: 2.5 } },
  });
  expect(Object.keys(cart?.lines ?? {})).toEqual(["a", "b"]);
});

test("a purchase empties it; what was added before, but comes later, stays out", () => {
  const cart = fold(
    ["add_to_cart", { product_id: "a" }, T(1)],
    ["purchase", {}, T(5)],
    ["add_to_cart", { product_id: "b" }, T(3)],
  );
  expect(cart).toMatchObject({ lines: {}, value: 0, emptied_at: T(5) });
  expect(changeCart(cart, event("add_to_cart", { product_id: "c" }), T(6)).lines).toHaveProperty("c");
});

test("a purchase that comes late leaves what was added after it", () => {
  const cart = fold(
    ["add_to_cart", { product_id: "a" }, T(1)],
    ["add_to_cart", { product_id: "b" }, T(7)],
    ["purchase", {}, T(5)],
  );
  expect(Object.keys(cart?.lines ?? {})).toEqual(["b"]);
});

test("carts on several devices are one", () => {
  const phone = fold(["add_to_cart", { product_id: "a", price: 1 }]);
  const laptop = fold(["add_to_cart", { product_id: "b", price: 2 }]);
  expect(mergeCarts([phone, laptop].filter((cart) => cart !== undefined))).toMatchObject({
    value: 3,
    lines: { a: {}, b: {} },
  });
  expect(mergeCarts([])).toBeUndefined();
  const till = fold(["purchase", {}, T(5)]);
  expect(mergeCarts([phone, laptop, till].filter((cart) => cart !== undefined))).toMatchObject({ value: 0, lines: {} });
});

test("whatever is sent: no more lines than fit, no quantity below one, a finite value, and nothing but JSON", () => {
  const product = fc.record({
    product_id: fc.anything(),
    quantity: fc.anything(),
    price: fc.anything(),
    name: fc.anything(),
  });
  const props = fc.oneof(product, fc.record({ items: fc.array(product, { maxLength: 300 }) }));
  const change = fc.tuple(
    fc.constantFrom("add_to_cart", "remove_from_cart", "purchase"),
    props as fc.Arbitrary<Record<string, unknown>>,
  );
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 30 }), (changes) => {
      const cart = fold(...changes.map(([type, given]): Change => [type, given]));
      const lines = Object.values(cart?.lines ?? {});
      expect(lines.length).toBeLessThanOrEqual(200);
      expect(lines.every((line) => line.quantity > 0)).toBe(true);
      expect(Number.isFinite(cart?.value)).toBe(true);
      expect(JSON.parse(JSON.stringify(cart))).toEqual(cart);
    }),
  );
});

test("products may have names that objects know", () => {
  const cart = fold(
    ["add_to_cart", { product_id: "__proto__", price: 3 }],
    ["add_to_cart", { product_id: "constructor" }],
  );
  expect(Object.keys(cart?.lines ?? {})).toEqual(["__proto__", "constructor"]);
  expect(cart?.value).toBe(3);
});
