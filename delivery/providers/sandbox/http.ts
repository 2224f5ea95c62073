import type { IncomingMessage, ServerResponse } from "node:http";

export interface SandboxRequest {
  method: string;
  url: URL;
  headers: IncomingMessage["headers"];
  body: Buffer;
  /** The body as a form. */
  form(): URLSearchParams;
  /** The body as JSON; undefined where it is none. */
  json(): unknown;
}

export interface SandboxReply {
  status: number;
  /** JSON, unless it is a string or bytes. */
  body?: unknown;
  headers?: Record<string, string>;
}

const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** Null where the body is larger than any provider takes. */
export async function readRequest(incoming: IncomingMessage): Promise<SandboxRequest | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  return {
    method: incoming.method ?? "GET",
    url: new URL(incoming.url ?? "/", "http://sandbox"),
    headers: incoming.headers,
    body,
    form: () => new URLSearchParams(body.toString("utf8")),
    json: () => parseJson(body.toString("utf8")),
  };
}

export function writeReply(response: ServerResponse, reply: SandboxReply): void {
  const { status, body, headers = {} } = reply;
  const isRaw = typeof body === "string" || Buffer.isBuffer(body);
  const bytes = isRaw ? body : body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(bytes);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A field of something that may not be an object. */
export function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

export function textOf(value: unknown, name: string): string {
  const field = fieldOf(value, name);
  return typeof field === "string" ? field : "";
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;
const LOOPBACK_HOST = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/i;

/**
 * From this machine, and not from a page of somebody else's that a browser on this machine happens to show: the address
 * must be loopback, and so must the name that was asked for and the page that asks.
 */
export function isLocal(incoming: IncomingMessage): boolean {
  const { host = "", origin } = incoming.headers;
  const isOwnPage = origin === undefined || LOOPBACK_HOST.test(origin.replace(/^https?:\/\//, ""));
  return LOOPBACK.test(incoming.socket.remoteAddress ?? "") && LOOPBACK_HOST.test(host) && isOwnPage;
}
