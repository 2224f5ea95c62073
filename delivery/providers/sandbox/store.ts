import { join } from "node:path";

import type { Channel } from "../../../core/message.ts";
import { openJournal } from "./journal.ts";

export type ReaderStatus = "queued" | "sent" | "delivered" | "failed" | "opened" | "clicked";

export interface SandboxMessage {
  /** The provider's own id: Twilio's SID, SendGrid's message id, FCM's message name. */
  id: string;
  channel: Channel;
  /** Bare: an E.164 number, an e-mail address, a device token. */
  to: string;
  from: string;
  from_name?: string;
  subject: string | null;
  body: string;
  is_html?: boolean;
  received_at: string;
  status: ReaderStatus;
  error_code?: number;
  opened_at?: string;
  clicked_at?: string;
  /** Twilio's StatusCallback. */
  callback?: string;
  /** SendGrid's custom arguments. */
  custom_args?: Record<string, string>;
  /** A notification with the tag of one that still shows takes its place, as on a device. */
  tag?: string;
  link?: string;
}

/** A webhook that is owed to Livora until it has been answered with 2xx. */
export interface OwedWebhook {
  id: string;
  kind: "twilio" | "sendgrid";
  url: string;
  fields: Record<string, string | number>;
  due_at: string;
}

/** A template of Twilio's Content API. */
export interface Content {
  sid: string;
  friendly_name: string;
  language: string;
  variables: Record<string, string>;
  body: string;
}

type Entry =
  | { type: "message"; message: SandboxMessage; webhooks: OwedWebhook[] }
  | { type: "status"; id: string; status: ReaderStatus; at: string; webhooks: OwedWebhook[] }
  | { type: "told"; webhook: string }
  | { type: "content"; content: Content };

export interface SandboxStore {
  /** Newest last. */
  messages(): SandboxMessage[];
  message(id: string): SandboxMessage | undefined;
  content(sid: string): Content | undefined;
  owed(): OwedWebhook[];
  addMessage(message: SandboxMessage, webhooks: OwedWebhook[]): Promise<void>;
  setStatus(id: string, status: ReaderStatus, at: string, webhooks: OwedWebhook[]): Promise<void>;
  addContent(content: Content): Promise<void>;
  /** Not waited for: a webhook that is told twice is harmless. */
  settleWebhook(id: string): void;
  onChange(listener: (message: SandboxMessage) => void): () => void;
  close(): Promise<void>;
}

/** Everything the sandbox knows, in memory and in one append-only file. */
export async function openStore(dir: string): Promise<SandboxStore> {
  const journal = await openJournal<Entry>(join(dir, "outbox.jsonl"));
  const messages = new Map<string, SandboxMessage>();
  const shown = new Map<string, string>();
  const contents = new Map<string, Content>();
  const owed = new Map<string, OwedWebhook>();
  const listeners = new Set<(message: SandboxMessage) => void>();

  function apply(entry: Entry): void {
    if (entry.type === "message") place(entry.message);
    if (entry.type === "status") mark(messages.get(entry.id), entry.status, entry.at);
    if (entry.type === "content") contents.set(entry.content.sid, entry.content);
    if (entry.type === "told") owed.delete(entry.webhook);
    else if (entry.type !== "content") for (const webhook of entry.webhooks) owed.set(webhook.id, webhook);
  }
  function place(message: SandboxMessage): void {
    if (message.tag !== undefined) {
      const slot = `${message.to}\n${message.tag}`;
      messages.delete(shown.get(slot) ?? "");
      shown.set(slot, message.id);
    }
    messages.set(message.id, message);
  }
  async function record(entry: Entry): Promise<void> {
    await journal.append(entry);
    apply(entry);
    const id = entry.type === "message" ? entry.message.id : entry.type === "status" ? entry.id : null;
    const message = id === null ? undefined : messages.get(id);
    if (message) for (const listener of listeners) listener(message);
  }

  journal.entries.forEach(apply);
  return {
    messages: () => [...messages.values()],
    message: (id) => messages.get(id),
    content: (sid) => contents.get(sid),
    owed: () => [...owed.values()],
    addMessage: (message, webhooks) => record({ type: "message", message, webhooks }),
    setStatus: (id, status, at, webhooks) => record({ type: "status", id, status, at, webhooks }),
    addContent: (content) => record({ type: "content", content }),
    settleWebhook(id) {
      owed.delete(id);
      journal.append({ type: "told", webhook: id }).catch(() => undefined);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => journal.close(),
  };
}

function mark(message: SandboxMessage | undefined, status: ReaderStatus, at: string): void {
  if (!message) return;
  message.status = status;
  if (status === "opened") message.opened_at ??= at;
  if (status === "clicked") message.clicked_at ??= at;
}
