import { randomInt, randomUUID } from "node:crypto";

import type { Livora } from "./livora.ts";
import { readOutbox } from "./oracle-evidence.ts";
import type { OutboxMessage } from "./oracle-messages.ts";
import { waitUntil } from "./wait-until.ts";

/** Who an event names; what is left out is left out of the event. */
export interface Identity {
  user_id?: string;
  anon_id?: string;
  session_id?: string;
}

/** Someone new, with an address that no one else has. */
export interface TestPerson {
  user_id: string;
  anon_id: string;
  session_id: string;
  cart_id: string;
  email: string;
  phone: string;
  /** Posts one event and answers its id once it was acknowledged; as themselves on their own device where nothing else is said. */
  post(event_type: string, props?: object, identity?: Identity): Promise<string>;
  identify(identity?: Identity): Promise<string>;
  leaveCart(identity?: Identity): Promise<string>;
  buy(identity?: Identity): Promise<string>;
  messages(channel?: string): Promise<OutboxMessage[]>;
  /** The first message by this channel; fails when there is none in time. */
  waitForMessage(channel: string, timeoutMs?: number): Promise<OutboxMessage>;
}

export function createPerson(livora: Livora): TestPerson {
  const name = randomUUID().slice(0, 13);
  const self = { user_id: `user|${name}`, anon_id: `device|${name}`, session_id: `sess|${name}` };
  const cart_id = `cart-${name}`;
  const email = `${name}@example.com`;
  const phone = `+9197${String(randomInt(1e8)).padStart(8, "0")}`;

  async function post(event_type: string, props: object = {}, identity: Identity = self): Promise<string> {
    const event_id = randomUUID();
    const event = {
      event_id,
      timestamp: new Date().toISOString(),
      client_id: livora.client_id,
      ...identity,
      event_type,
      props,
    };
    const { status, text } = await postEvents(livora, event);
    if (status !== 202) throw new Error(`${event_type}: ${status} ${text}`);
    return event_id;
  }
  const messages = async (channel?: string) => {
    const all = await Promise.all([email, phone].map((to) => readOutbox(livora.outbox, { to })));
    return all.flat().filter((message) => channel === undefined || message.channel === channel);
  };

  return {
    ...self,
    cart_id,
    email,
    phone,
    post,
    identify: (identity) => post("identify", { email, phone, name: "Ada" }, identity),
    leaveCart: (identity) =>
      post("add_to_cart", { cart_id, product_id: "SKU-001", price: 1290, currency: "INR" }, identity),
    buy: (identity) => post("purchase", { order_id: `order-${name}`, cart_id, value: 1290, currency: "INR" }, identity),
    messages,
    async waitForMessage(channel, timeoutMs = 60_000) {
      await waitUntil(async () => (await messages(channel)).length > 0, { timeoutMs, what: `${channel} to ${name}` });
      const [first] = await messages(channel);
      return first as OutboxMessage;
    },
  };
}

/** A request to the edge with any body, as the client; strings go out as they are. */
export async function postEvents(
  livora: Livora,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`${livora.endpoints.ingest}/v1/events`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${livora.endpoints.api_key}`,
      "x-client-id": livora.client_id,
      "content-type": "application/json",
      ...headers,
    },
    body: typeof body === "string" || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}
