import { textOf } from "./bounded.ts";
import type { Event } from "./event.ts";

export interface CartLine {
  quantity: number;
  price: number | null;
  name: string | null;
  added_at: string;
}

/** What lies in a cart now. */
export interface Cart {
  cart_id: string;
  /** By product id. */
  lines: Record<string, CartLine>;
  currency: string | null;
  /** Sum of price times quantity, where prices are known. */
  value: number;
  updated_at: string;
  /** When a purchase last emptied it: what was added before that, but comes later, stays out. */
  emptied_at: string | null;
}

export const CART_EVENTS = ["add_to_cart", "remove_from_cart", "purchase"] as const;
export type CartEvent = (typeof CART_EVENTS)[number];
/** Where an event names no cart. */
const DEFAULT_CART = "default";
/** Carts hold this many products; beyond that, no more are taken in. */
const MAX_LINES = 200;
const MAX_QUANTITY = 1_000_000;

export function isCartEvent(eventType: string): eventType is CartEvent {
  return (CART_EVENTS as readonly string[]).includes(eventType);
}

export function cartIdOf(event: Pick<Event, "props">): string {
  return textOf(event.props?.["cart_id"]) ?? DEFAULT_CART;
}

/** The cart after an event of one of `CART_EVENTS`. */
export function changeCart(before: Cart | undefined, event: Pick<Event, "event_type" | "props">, at: string): Cart {
  const cart = before ?? emptyCart(cartIdOf(event), at);
  if (event.event_type === "purchase") return empty(cart, at);
  if (cart.emptied_at !== null && at <= cart.emptied_at) return cart;
  const lines = { ...cart.lines };
  const change = event.event_type === "add_to_cart" ? addLine : removeLine;
  for (const item of itemsOf(event)) change(lines, item, at);
  const currency = textOf(event.props?.["currency"], 8) ?? cart.currency;
  return { ...cart, lines, currency, value: valueOf(lines), updated_at: later(cart.updated_at, at) };
}

/**
 * What a person has in the carts of one id under their several keys: this device, that one, their name. A purchase under
 * any of them emptied them all.
 */
export function mergeCarts(carts: readonly Cart[]): Cart | undefined {
  const [latest, ...others] = carts.toSorted((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
  if (!latest) return undefined;
  const merged = others.reduce(
    (all, cart) => ({ ...all, lines: { ...cart.lines, ...all.lines }, currency: all.currency ?? cart.currency }),
    latest,
  );
  const emptied = carts.map((cart) => cart.emptied_at).filter((at) => at !== null);
  return emptied.reduce<Cart>(empty, { ...merged, value: valueOf(merged.lines) });
}

interface Item {
  product_id: string;
  quantity: number | null;
  price: number | null;
  name: string | null;
}

/** One product in the props themselves, or several under `items` or `products`. */
function itemsOf(event: Pick<Event, "props">): Item[] {
  const props = event.props ?? {};
  const list = [props["items"], props["products"]].find(Array.isArray) as unknown[] | undefined;
  return (list ?? [props]).slice(0, MAX_LINES).flatMap((entry) => {
    if (typeof entry !== "object" || entry === null) return [];
    const { product_id, sku, quantity, price, name } = entry as Record<string, unknown>;
    const id = textOf(product_id ?? sku, 128);
    return id === null
      ? []
      : [{ product_id: id, quantity: numberOf(quantity), price: numberOf(price), name: textOf(name, 128) }];
  });
}

function addLine(lines: Record<string, CartLine>, item: Item, at: string): void {
  const before = Object.hasOwn(lines, item.product_id) ? lines[item.product_id] : undefined;
  const added = item.quantity ?? 1;
  if (added <= 0 || (!before && Object.keys(lines).length >= MAX_LINES)) return;
  setLine(lines, item.product_id, {
    quantity: Math.min((before?.quantity ?? 0) + added, MAX_QUANTITY),
    price: item.price ?? before?.price ?? null,
    name: item.name ?? before?.name ?? null,
    added_at: before ? later(before.added_at, at) : at,
  });
}

/** Without a quantity the product goes as a whole. */
function removeLine(lines: Record<string, CartLine>, item: Item): void {
  const before = Object.hasOwn(lines, item.product_id) ? lines[item.product_id] : undefined;
  if (!before) return;
  const quantity = item.quantity === null ? 0 : before.quantity - Math.max(item.quantity, 0);
  if (quantity > 0) setLine(lines, item.product_id, { ...before, quantity });
  else delete lines[item.product_id];
}

/** `__proto__` is a product like any other. */
function setLine(lines: Record<string, CartLine>, productId: string, line: CartLine): void {
  Object.defineProperty(lines, productId, { value: line, enumerable: true, configurable: true, writable: true });
}

function empty(cart: Cart, at: string): Cart {
  const kept = Object.entries(cart.lines).filter(([, line]) => line.added_at > at);
  const lines = Object.fromEntries(kept);
  const emptied_at = cart.emptied_at === null ? at : later(cart.emptied_at, at);
  return { ...cart, lines, value: valueOf(lines), emptied_at, updated_at: later(cart.updated_at, at) };
}

function emptyCart(cart_id: string, at: string): Cart {
  return { cart_id, lines: {}, currency: null, value: 0, updated_at: at, emptied_at: null };
}

function valueOf(lines: Readonly<Record<string, CartLine>>): number {
  const value = Object.values(lines).reduce((sum, line) => sum + (line.price ?? 0) * line.quantity, 0);
  // Never -0, which JSON does not know.
  return Math.round(value * 100) / 100 + 0;
}

function numberOf(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && Math.abs(number) <= 1e12 ? number + 0 : null;
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
