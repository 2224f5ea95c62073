import { createHmac, createSign } from "node:crypto";

import { chunksOf } from "../../../core/chunks.ts";
import { DAY_MS } from "../../../core/time.ts";
import type { Logger } from "../../../platform/logger.ts";
import type { SandboxKeys } from "./keys.ts";
import type { OwedWebhook, SandboxStore } from "./store.ts";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;
/** As SendGrid does. */
const GIVE_UP_MS = DAY_MS;
const TICK_MS = 50;
const MAX_UNDER_WAY = 8;
/** SendGrid posts events in batches. */
const MAX_BATCH = 100;
const TIMEOUT_MS = 10_000;

interface Attempt {
  count: number;
  nextAtMs: number;
}

export interface WebhookSender {
  start(): void;
  stop(): Promise<void>;
}

/** Tells Livora what is owed to it, signed as the providers sign, again and again until it is answered with 2xx. */
export function createWebhookSender(parts: {
  store: SandboxStore;
  keys: SandboxKeys;
  twilioToken: string;
  log: Logger;
}): WebhookSender {
  const { store, log } = parts;
  const attempts = new Map<string, Attempt>();
  const busy = new Set<string>();
  const underWay = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;

  function isDue(webhook: OwedWebhook, nowMs: number): boolean {
    if (busy.has(webhook.id)) return false;
    return (attempts.get(webhook.id)?.nextAtMs ?? Date.parse(webhook.due_at)) <= nowMs;
  }
  function tick(): void {
    const nowMs = Date.now();
    for (const webhook of store.owed()) if (nowMs - Date.parse(webhook.due_at) > GIVE_UP_MS) settle(webhook.id);
    const due = store.owed().filter((webhook) => isDue(webhook, nowMs));
    for (const batch of batchesOf(due)) {
      if (underWay.size >= MAX_UNDER_WAY) return;
      const sending = send(batch).finally(() => underWay.delete(sending));
      underWay.add(sending);
    }
  }
  async function send(batch: OwedWebhook[]): Promise<void> {
    for (const { id } of batch) busy.add(id);
    const error = await post(batch).catch((error: unknown) => String(error));
    for (const { id } of batch) {
      busy.delete(id);
      if (error === null) settle(id);
      else postpone(id);
    }
    if (error !== null) log.debug({ error, webhooks: batch.length }, "webhook not taken");
  }
  function settle(id: string): void {
    attempts.delete(id);
    store.settleWebhook(id);
  }
  function postpone(id: string): void {
    const count = (attempts.get(id)?.count ?? 0) + 1;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (count - 1));
    attempts.set(id, { count, nextAtMs: Date.now() + pauseMs * (0.75 + Math.random() / 2) });
  }
  async function post(batch: OwedWebhook[]): Promise<string | null> {
    const [first] = batch as [OwedWebhook];
    const { headers, body } =
      first.kind === "twilio" ? twilioRequest(first, parts.twilioToken) : sendgridRequest(batch, parts.keys);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(first.url, { method: "POST", headers, body, signal, redirect: "manual" });
    await response.arrayBuffer();
    return response.ok ? null : `answered ${response.status}`;
  }
  return {
    start: () => void (timer = setInterval(tick, TICK_MS)),
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };
}

/** Twilio's one by one, SendGrid's together. */
function batchesOf(due: OwedWebhook[]): OwedWebhook[][] {
  const texts = due.filter((webhook) => webhook.kind === "twilio");
  const mails = due.filter((webhook) => webhook.kind === "sendgrid");
  return [...chunksOf(texts, 1), ...chunksOf(mails, MAX_BATCH)];
}

/** HMAC-SHA1 over the URL and the form's fields in the order of their names. */
function twilioRequest(webhook: OwedWebhook, token: string) {
  const fields = Object.entries(webhook.fields).map(([name, value]) => [name, String(value)] as const);
  const signed =
    webhook.url +
    fields
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flat()
      .join("");
  return {
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-twilio-signature": createHmac("sha1", token).update(signed, "utf8").digest("base64"),
      "i-twilio-idempotency-token": webhook.id,
    },
    body: new URLSearchParams(Object.fromEntries(fields)).toString(),
  };
}

/** ECDSA (P-256, SHA-256) over the timestamp and the body's bytes. */
function sendgridRequest(batch: OwedWebhook[], keys: SandboxKeys) {
  const body = JSON.stringify(batch.map((webhook) => webhook.fields));
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createSign("sha256")
    .update(timestamp + body)
    .sign(keys.sendgridPrivateKey, "base64");
  return {
    headers: {
      "content-type": "application/json",
      "x-twilio-email-event-webhook-signature": signature,
      "x-twilio-email-event-webhook-timestamp": timestamp,
    },
    body,
  };
}
