import { randomUUID } from "node:crypto";

/** A request as bytes, ready to be sent again and again with other event ids. */
export interface RequestTemplate {
  bytes: Buffer;
  /** Where the last twelve digits of each event's id begin. */
  idsAt: number[];
}

export interface Target {
  port: number;
  clientId: string;
  token: string;
}

const WORDS =
  "block printed cotton kurta indigo silk saree handloom linen shirt relaxed fit denim jacket quilted leather sandal brass lamp jute tote ceramic mug oak shelf wool throw".split(
    " ",
  );
const BROWSERS = [
  "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.6478.122 Mobile Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/125.0.0.0 Safari/537.36 Edg/125.0.0.0",
];
const SOURCES = ["insta", "google", "newsletter-34", "affiliate_77", "direct"];
const CATEGORIES = ["women/ethnic/kurtas", "men/shirts", "home/decor", "kids/shoes", "sale"];

function oneOf<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)] as T;
}

/** An event of about 600 bytes, as a shop's SDK sends it; no two of them alike, as nothing here is spared the stream's compression. */
export function makeBenchEvent(clientId: string, session: number) {
  const name = Array.from({ length: 5 }, () => oneOf(WORDS));
  const product = Math.floor(Math.random() * 100_000);
  return {
    event_id: randomUUID(),
    timestamp: new Date(Date.now() - Math.floor(Math.random() * 5_000)).toISOString(),
    client_id: clientId,
    user_id: `auth|${100_000 + session}`,
    anon_id: `device|${randomUUID()}`,
    session_id: `sess|${session}`,
    event_type: oneOf(["product_view", "page_view", "add_to_cart", "search"]),
    props: {
      product_id: `SKU-${product}`,
      name: name.join(" "),
      category: oneOf(CATEGORIES),
      price: Math.floor(Math.random() * 9_000) + 99,
      currency: "INR",
      in_stock: product % 7 > 0,
    },
    context: {
      ip: `203.0.113.${session % 250}`,
      ua: oneOf(BROWSERS),
      locale: oneOf(["hi-IN", "en-IN", "ta-IN"]),
      url: `https://shop.example/p/${name.join("-")}-${product}?utm_source=${oneOf(SOURCES)}&utm_medium=social`,
    },
  };
}

export function makeTemplate(target: Target, batch: number): RequestTemplate {
  const sessions = Array.from({ length: batch }, () => Math.floor(Math.random() * 10_000));
  const events = sessions.map((session) => makeBenchEvent(target.clientId, session));
  const body = JSON.stringify(batch === 1 ? events[0] : events);
  const head = [
    "POST /v1/events HTTP/1.1",
    `host: 127.0.0.1:${target.port}`,
    `authorization: Bearer ${target.token}`,
    `x-client-id: ${target.clientId}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
  ].join("\r\n");
  const bytes = Buffer.from(`${head}\r\n\r\n${body}`);
  return { bytes, idsAt: events.map((event) => bytes.indexOf(event.event_id) + 24) };
}

let counter = 0;

/** Gives every event an id that no other request has. */
export function renewIds({ bytes, idsAt }: RequestTemplate): void {
  for (const at of idsAt) {
    let rest = counter++;
    for (let digit = at + 11; rest > 0; digit--) {
      bytes[digit] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }
}
