import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";

import type { SandboxReply, SandboxRequest } from "./http.ts";
import { writeReply } from "./http.ts";
import { viewOf } from "./mail-view.ts";
import type { OwedWebhook, SandboxMessage, SandboxStore } from "./store.ts";

/** How many messages the page shows; `GET /messages` has them all. */
const SHOWN = 200;
const HEARTBEAT_MS = 15_000;

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:";
/** A mail may show pictures and style itself, and nothing else: no script, no form, no address of ours. */
const MAIL_POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:";

const ASSETS: Record<string, { file: string; type: string }> = {
  "/": { file: "outbox.html", type: "text/html" },
  "/outbox.css": { file: "outbox.css", type: "text/css" },
  "/outbox.js": { file: "outbox.js", type: "text/javascript" },
};

export interface Receipts {
  twilio: { readReceipt(message: SandboxMessage): OwedWebhook[] };
  sendgrid: {
    openReceipt(message: SandboxMessage): OwedWebhook[];
    clickReceipt(message: SandboxMessage, url: string): OwedWebhook[];
  };
}

/** The page that shows each message as its reader would see it, and the same as JSON. */
export function createOutbox(store: SandboxStore, receipts: Receipts) {
  const watchers = new Set<ServerResponse>();
  const stopListening = store.onChange((message) => {
    const line = `data: ${JSON.stringify(message)}\n\n`;
    for (const watcher of watchers) watcher.write(line);
  });
  const heartbeat = setInterval(() => {
    for (const watcher of watchers) watcher.write(": still here\n\n");
  }, HEARTBEAT_MS);

  function watch(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write("retry: 1000\n\n");
    watchers.add(response);
    response.on("close", () => watchers.delete(response));
  }
  async function open(message: SandboxMessage): Promise<SandboxReply> {
    const isFirst = message.opened_at === undefined && message.status !== "failed";
    const owed = [...receipts.twilio.readReceipt(message), ...receipts.sendgrid.openReceipt(message)];
    if (isFirst) await store.setStatus(message.id, "opened", new Date().toISOString(), owed);
    return { status: 204 };
  }
  async function click(message: SandboxMessage, url: string): Promise<SandboxReply> {
    // Only where the message itself leads: this is no open redirect.
    if (!viewOf(message).links.includes(url)) return { status: 404, body: { error: "no such link" } };
    await open(message);
    await store.setStatus(
      message.id,
      "clicked",
      new Date().toISOString(),
      receipts.sendgrid.clickReceipt(message, url),
    );
    return { status: 302, body: "", headers: { location: url } };
  }
  async function handleMessage(request: SandboxRequest, id: string, verb: string): Promise<SandboxReply> {
    const message = store.message(id);
    if (!message) return { status: 404, body: { error: "no such message" } };
    if (verb === "view") return page(viewOf(message).html, "text/html", MAIL_POLICY);
    if (verb === "click") return click(message, request.url.searchParams.get("url") ?? "");
    return request.method === "POST" ? open(message) : { status: 405, body: { error: "POST" } };
  }
  return {
    owns: (path: string) => Object.hasOwn(ASSETS, path) || path === "/messages" || path.startsWith("/outbox/"),
    async handle(request: SandboxRequest, response: ServerResponse): Promise<void> {
      const path = request.url.pathname;
      const asset = ASSETS[path];
      if (path === "/outbox/stream") return watch(response);
      if (asset) return writeReply(response, page(readAsset(asset.file), asset.type, PAGE_POLICY));
      if (path === "/messages") return writeReply(response, { status: 200, body: listMessages(store, request) });
      if (path === "/outbox/messages") {
        return writeReply(response, { status: 200, body: store.messages().slice(-SHOWN).toReversed() });
      }
      const [, id = "", verb = ""] = /^\/outbox\/([^/]+)\/(view|click|open)$/.exec(path) ?? [];
      writeReply(response, await handleMessage(request, decodeURIComponent(id), verb));
    },
    close() {
      stopListening();
      clearInterval(heartbeat);
      for (const watcher of watchers) watcher.end();
    },
  };
}

function page(body: string | Buffer, type: string, policy: string): SandboxReply {
  const headers = {
    "content-type": `${type}; charset=utf-8`,
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  };
  return { status: 200, body, headers };
}

function readAsset(file: string): Buffer {
  return readFileSync(new URL(`page/${file}`, import.meta.url));
}

/** Newest first. `since` is an ISO time, inclusive. */
function listMessages(store: SandboxStore, request: SandboxRequest) {
  const query = request.url.searchParams;
  const [channel, since] = [query.get("channel"), Date.parse(query.get("since") ?? "")];
  // A plus that was not encoded reads as a space.
  const to = query.get("to")?.replace(/^ /, "+").toLowerCase();
  return store
    .messages()
    .filter((message) => !channel || message.channel === channel)
    .filter((message) => !to || message.to.toLowerCase() === to)
    .filter((message) => Number.isNaN(since) || Date.parse(message.received_at) >= since)
    .toReversed()
    .map(({ id, channel, to, from, subject, body, received_at }) => ({
      id,
      channel,
      to,
      from,
      subject,
      body,
      received_at,
    }));
}
