import type { Endpoints } from "./endpoints.ts";

export interface Visitor {
  user_id: string;
  email: string;
  phone: string;
  cart_id: string;
}

/** Somebody new at each start, so that what is pasted always begins a journey. */
export function inventVisitor(random: () => number = Math.random): Visitor {
  const digits = String(Math.floor(random() * 1e8)).padStart(8, "0");
  return {
    user_id: `ada-${digits}`,
    email: `ada.${digits}@example.com`,
    phone: `+9198${digits}`,
    cart_id: `cart-${digits}`,
  };
}

/** What is printed once everything runs: the addresses, and a journey to play by hand. */
export function describeWelcome(
  endpoints: Endpoints,
  visitor: Visitor,
  delays: { reminderMs: number; couponMs: number },
): string {
  const { user_id, email, phone, cart_id } = visitor;
  const person = { user_id, session_id: `session-${user_id}` };
  const identify = event("identify", endpoints, person, { email, phone, name: "Ada" });
  const cart = event("add_to_cart", endpoints, person, {
    cart_id,
    product_id: "SKU-001",
    name: "Cotton kurta",
    price: 1290,
    currency: "INR",
  });
  const purchase = event("purchase", endpoints, person, {
    cart_id,
    order_id: `order-${user_id}`,
    value: 1290,
    currency: "INR",
  });
  const look = `curl -sS '${endpoints.outbox}/messages?to=${encodeURIComponent(phone)}'; curl -sS '${endpoints.outbox}/messages?to=${encodeURIComponent(email)}'`;
  return `
  Livora is running.

    ingest         ${endpoints.ingest}
    API            ${endpoints.api}
    outbox         ${endpoints.outbox}   (messages as their readers see them)
    Temporal Web   ${endpoints.temporal_web}
    credentials    client ${endpoints.client_id}, in .livora/endpoints.json

  The demo campaign reminds of an abandoned cart. Its delays are shortened:
    ${delays.reminderMs / 1000} s after the cart, instead of 30 minutes: a reminder by WhatsApp
    ${delays.couponMs / 1000} s after the cart, instead of a day: a coupon by e-mail

  Leave a cart:

${post(endpoints, [identify, cart])}

  and look at the reminder when its time has come:

${look}

  Buy before the coupon is due, and no coupon will come:

${post(endpoints, [purchase])}

  Ctrl-C stops everything.
`;
}

/** With a fresh id and the time of pasting: the shell fills in both. Node is there, `uuidgen` may not be. */
function event(
  type: string,
  { client_id }: Endpoints,
  person: Record<string, string>,
  props: Record<string, unknown>,
): string {
  const rest = JSON.stringify({ client_id, ...person, event_type: type, props }).slice(1);
  return `{"event_id":"'$(node -p 'crypto.randomUUID()')'","timestamp":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'",${rest}`;
}

function post({ ingest, client_id, api_key }: Endpoints, events: readonly string[]): string {
  return [
    `curl -sS ${ingest}/v1/events -H 'Content-Type: application/json' \\`,
    `  -H 'Authorization: Bearer ${api_key}' -H 'X-Client-Id: ${client_id}' \\`,
    `  -d '[${events.join(",")}]'`,
  ].join("\n");
}
