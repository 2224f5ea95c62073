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

/** An event of about 600 bytes, as a shop's SDK sends it. */
export function makeBenchEvent(clientId: string, session: number) {
  return {
    event_id: randomUUID(),
    timestamp: new Date().toISOString(),
    client_id: clientId,
    user_id: `auth|${100_000 + session}`,
    anon_id: `device|${randomUUID()}`,
    session_id: `sess|${session}`,
    event_type: "product_view",
    props: {
      product_id: `SKU-${session % 977}`,
      name: "Block-printed cotton kurta, indigo",
      category: "women/ethnic/kurtas",
      price: 1299,
      currency: "INR",
      in_stock: true,
    },
    context: {
      ip: `203.0.113.${session % 250}`,
      ua: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
      locale: "hi-IN",
      url: "https://shop.example/p/block-printed-kurta?utm_source=insta&utm_medium=social",
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
