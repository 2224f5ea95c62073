import { ADDRESSES, BOTS, BROWSERS, FIRST_NAMES, LANDINGS, LOCALES, type Product, PRODUCTS } from "./catalogue.ts";
import { createUuid, pick } from "./random.ts";

/** Something a visitor does, so many milliseconds after the step before. */
export interface VisitStep {
  afterMs: number;
  event_type: string;
  props: Record<string, unknown>;
  user_id: string | null;
  anon_id: string;
  session_id: string;
  context: Record<string, unknown>;
}

export interface VisitOptions {
  random: () => number;
  /** How long after the cart the first reminder and the coupon are due; people buy before, between, or not at all. */
  reminderMs: number;
  couponMs: number;
}

type Draft = Pick<VisitStep, "afterMs" | "event_type" | "props">;

/** One visit from landing page to leaving, invented from the given randomness alone. */
export function inventVisit(options: VisitOptions): VisitStep[] {
  const { random } = options;
  const isBot = random() < 0.08;
  const landing = pick(random, LANDINGS);
  const context = {
    ip: pick(random, ADDRESSES),
    ua: pick(random, isBot ? BOTS : BROWSERS),
    locale: pick(random, LOCALES),
    page: { url: landing.url, referrer: landing.referrer },
  };
  const id = createUuid(random).slice(0, 8);
  const drafts = isBot ? crawl(random) : shop(options, id);
  let userId: string | null = null;
  return drafts.map((draft) => {
    // From log-in on the shop knows who it is: that event carries both ids.
    if (draft.event_type === "identify") userId = `user-${id}`;
    return { ...draft, user_id: userId, anon_id: `device-${id}`, session_id: `session-${id}`, context };
  });
}

function crawl(random: () => number): Draft[] {
  return Array.from({ length: 4 }, () => view(pick(random, PRODUCTS), 100 + random() * 200));
}

function shop(options: VisitOptions, id: string): Draft[] {
  const { random } = options;
  const views = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(random, PRODUCTS));
  const steps: Draft[] = [
    { afterMs: 0, event_type: "page_view", props: {} },
    ...views.map((product) => view(product, 400 + random() * 2_000)),
  ];
  if (random() < 0.4) return steps;
  const cart = views.filter((_, place) => place === 0 || random() < 0.3);
  const adding = cart.map((product) => addToCart(product, id, random));
  // Most log in before they fill the cart, some only afterwards, some never.
  const moment = random();
  if (moment < 0.55) steps.push(identify(random, id), ...adding);
  else if (moment < 0.85) steps.push(...adding, identify(random, id));
  else steps.push(...adding);
  return [...steps, ...decide(options, cart, id)];
}

/** A third buys at once, a sixth after the reminder, the others never. */
function decide({ random, reminderMs, couponMs }: VisitOptions, cart: readonly Product[], id: string): Draft[] {
  const mood = random();
  if (mood > 0.5) return [];
  const afterMs = mood < 0.33 ? reminderMs * 0.4 : reminderMs + (couponMs - reminderMs) * 0.4;
  const value = cart.reduce((sum, { price }) => sum + price, 0);
  const props = { cart_id: `cart-${id}`, order_id: `order-${id}`, value, currency: "INR" };
  return [
    { afterMs: 300, event_type: "checkout_started", props: { cart_id: `cart-${id}` } },
    { afterMs, event_type: "purchase", props },
  ];
}

function view({ product_id, name, category, price }: Product, afterMs: number): Draft {
  return { afterMs, event_type: "product_view", props: { product_id, name, category, price, currency: "INR" } };
}

function addToCart({ product_id, price, name }: Product, id: string, random: () => number): Draft {
  const props = { cart_id: `cart-${id}`, product_id, name, price, quantity: 1, currency: "INR" };
  return { afterMs: 500 + random() * 1_500, event_type: "add_to_cart", props };
}

function identify(random: () => number, id: string): Draft {
  const name = pick(random, FIRST_NAMES);
  const number = String(Math.floor(random() * 1e8)).padStart(8, "0");
  const traits = { name, email: `${name.toLowerCase()}.${id}@example.com`, phone: `+9198${number}` };
  return { afterMs: 600 + random() * 600, event_type: "identify", props: traits };
}
