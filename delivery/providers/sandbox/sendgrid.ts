import { randomBytes, randomUUID } from "node:crypto";

import { fieldOf, type SandboxReply, type SandboxRequest, textOf } from "./http.ts";
import type { OwedWebhook, SandboxMessage, SandboxStore } from "./store.ts";
import { isSameSecret } from "./twilio.ts";

export interface SendgridAccount {
  apiKey: string;
  /** Where the account's event webhook goes. */
  webhookUrl: string;
}

const EMAIL = /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]+$/;
/** Mail to such an address is taken, and then bounces. */
const BOUNCING = /^bounce[@+]/i;

export function sendgridError(status: number, message: string, field: string | null = null): SandboxReply {
  return { status, body: { errors: [{ message, field, help: null }] } };
}

/** SendGrid's v3 mail/send, and its message search as the Email Activity API has it. */
export function createSendgridApi(store: SandboxStore, account: SendgridAccount) {
  async function send(request: SandboxRequest): Promise<SandboxReply> {
    const mail = request.json();
    const fault = faultOf(mail);
    if (fault) return sendgridError(400, fault.message, fault.field);
    const requestId = randomBytes(16).toString("base64url");
    const mails = messagesOf(mail, requestId);
    await Promise.all(mails.map((message) => store.addMessage(message, receiptsOf(message, account))));
    return { status: 202, body: "", headers: { "x-message-id": requestId } };
  }
  function search(request: SandboxRequest): SandboxReply {
    const matches = queryOf(request.url.searchParams.get("query") ?? "");
    if (!matches) return sendgridError(400, "invalid query", "query");
    const limit = Math.min(1000, Number(request.url.searchParams.get("limit") ?? 10) || 10);
    const found = store.messages().filter((message) => message.channel === "email" && matches(message));
    return { status: 200, body: { messages: found.toReversed().slice(0, limit).map(activityOf) } };
  }
  return {
    /** Null: not one of SendGrid's paths. */
    async handle(request: SandboxRequest): Promise<SandboxReply | null> {
      const path = request.url.pathname;
      if (path !== "/v3/mail/send" && !path.startsWith("/v3/messages")) return null;
      if (!isSameSecret(request.headers.authorization ?? "", `Bearer ${account.apiKey}`)) {
        return sendgridError(401, "The provided authorization grant is invalid, expired, or revoked");
      }
      if (path === "/v3/mail/send") {
        return request.method === "POST" ? send(request) : sendgridError(405, "method not allowed");
      }
      if (path === "/v3/messages") return search(request);
      const message = store.message(decodeURIComponent(path.slice("/v3/messages/".length)));
      return message ? { status: 200, body: activityOf(message) } : sendgridError(404, "message not found");
    },
    isSend: (request: SandboxRequest) => request.url.pathname === "/v3/mail/send",
    openReceipt: (message: SandboxMessage): OwedWebhook[] =>
      message.channel === "email" ? [eventOf(message, account, "open", 0)] : [],
    clickReceipt: (message: SandboxMessage, url: string): OwedWebhook[] =>
      message.channel === "email" ? [eventOf(message, account, "click", 0, { url })] : [],
  };
}

function faultOf(mail: unknown): { message: string; field: string } | null {
  const personalizations = fieldOf(mail, "personalizations");
  if (!Array.isArray(personalizations) || personalizations.length === 0) {
    return {
      message: "The personalizations field is required and must have at least one personalization.",
      field: "personalizations",
    };
  }
  if (!EMAIL.test(textOf(fieldOf(mail, "from"), "email"))) {
    return { message: "The from email does not contain a valid address.", field: "from.email" };
  }
  const content = fieldOf(mail, "content");
  if (!Array.isArray(content) || content.length === 0) {
    return { message: "Unless a valid template_id is provided, the content parameter is required.", field: "content" };
  }
  return (
    personalizations.map((entry, i) => faultOfPersonalization(mail, entry, i)).find((fault) => fault !== null) ?? null
  );
}

function faultOfPersonalization(mail: unknown, entry: unknown, i: number): { message: string; field: string } | null {
  const to = fieldOf(entry, "to");
  if (!Array.isArray(to) || to.length === 0)
    return { message: "The to array is required.", field: `personalizations.${i}.to` };
  const wrong = to.findIndex((address) => !EMAIL.test(textOf(address, "email")));
  if (wrong >= 0) {
    return { message: "Does not contain a valid address.", field: `personalizations.${i}.to.${wrong}.email` };
  }
  const hasSubject = textOf(mail, "subject") !== "" || textOf(entry, "subject") !== "";
  return hasSubject ? null : { message: "The subject is required.", field: "subject" };
}

function messagesOf(mail: unknown, requestId: string): SandboxMessage[] {
  const content = fieldOf(mail, "content") as unknown[];
  const html = content.find((part) => textOf(part, "type") === "text/html");
  const from = fieldOf(mail, "from");
  const personalizations = fieldOf(mail, "personalizations") as unknown[];
  const recipients = personalizations.flatMap((entry) =>
    (fieldOf(entry, "to") as unknown[]).map((to) => ({ entry, to })),
  );
  return recipients.map(({ entry, to }, i): SandboxMessage => {
    const address = textOf(to, "email");
    const isBouncing = BOUNCING.test(address);
    return {
      id: `${requestId}.recvd-sandbox-${i}`,
      channel: "email",
      to: address,
      from: textOf(from, "email"),
      ...(textOf(from, "name") !== "" && { from_name: textOf(from, "name") }),
      subject: textOf(entry, "subject") || textOf(mail, "subject"),
      body: textOf(html ?? content[0], "value"),
      is_html: html !== undefined,
      received_at: new Date().toISOString(),
      status: isBouncing ? "failed" : "delivered",
      custom_args: { ...argsOf(mail), ...argsOf(entry) },
    };
  });
}

function argsOf(value: unknown): Record<string, string> {
  return (fieldOf(value, "custom_args") ?? {}) as Record<string, string>;
}

function receiptsOf(message: SandboxMessage, account: SendgridAccount): OwedWebhook[] {
  const bounce = {
    reason: "550 5.1.1 The email account that you tried to reach does not exist",
    type: "bounce",
    status: "5.1.1",
  };
  const last =
    message.status === "failed"
      ? eventOf(message, account, "bounce", 250, bounce)
      : eventOf(message, account, "delivered", 250, { response: "250 OK" });
  return [eventOf(message, account, "processed", 60), last];
}

function eventOf(
  message: SandboxMessage,
  account: SendgridAccount,
  event: string,
  afterMs: number,
  more: Record<string, string> = {},
): OwedWebhook {
  const due = Date.now() + afterMs;
  return {
    id: randomUUID(),
    kind: "sendgrid",
    url: account.webhookUrl,
    due_at: new Date(due).toISOString(),
    fields: {
      ...message.custom_args,
      email: message.to,
      event,
      sg_event_id: randomBytes(16).toString("base64url"),
      sg_message_id: message.id,
      "smtp-id": `<${message.id}@sandbox>`,
      timestamp: Math.floor(due / 1000),
      ...more,
    },
  };
}

type Predicate = (message: SandboxMessage) => boolean;

/** `to_email="a@b.c" AND (unique_args['delivery_id']="…")`; null where it is none of what we know. */
function queryOf(query: string): Predicate | null {
  const terms = query.split(/\s+AND\s+/i).map((term) => termOf(term.trim().replace(/^\((.*)\)$/, "$1")));
  return terms.some((term) => term === null) ? null : (message) => terms.every((term) => term!(message));
}

function termOf(term: string): Predicate | null {
  const argument = /^unique_args\['([\w-]+)'\]\s*=\s*"([^"]*)"$/.exec(term);
  if (argument) return (message) => message.custom_args?.[argument[1]!] === argument[2];
  const field = /^(msg_id|to_email|from_email|subject)\s*=\s*"([^"]*)"$/.exec(term);
  if (!field) return null;
  return (message) => fieldsOf(message)[field[1]!] === field[2];
}

function fieldsOf(message: SandboxMessage): Record<string, string | null> {
  return { msg_id: message.id, to_email: message.to, from_email: message.from, subject: message.subject };
}

function activityOf(message: SandboxMessage) {
  return {
    ...fieldsOf(message),
    status: message.status === "failed" ? "not_delivered" : "delivered",
    opens_count: message.opened_at === undefined ? 0 : 1,
    clicks_count: message.clicked_at === undefined ? 0 : 1,
    last_event_time: message.clicked_at ?? message.opened_at ?? message.received_at,
  };
}
