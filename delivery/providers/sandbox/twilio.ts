import { createHash, randomBytes, timingSafeEqual, randomUUID } from "node:crypto";

import { fieldOf, type SandboxReply, type SandboxRequest, textOf } from "./http.ts";
import type { Content, OwedWebhook, SandboxMessage, SandboxStore } from "./store.ts";

export interface TwilioAccount {
  accountSid: string;
  authToken: string;
}

/** Numbers with a meaning, as Twilio's own test credentials have them; the last is ours: taken, and then undeliverable. */
const MAGIC_TO: Record<string, number> = {
  "+15005550001": 21211,
  "+15005550002": 21612,
  "+15005550003": 21408,
  "+15005550004": 21610,
  "+15005550009": 21614,
};
const UNDELIVERABLE = "+15005550008";

const MESSAGES: Record<number, string> = {
  20003: "Authenticate",
  20404: "The requested resource was not found",
  20429: "Too Many Requests",
  21211: "The 'To' number is not a valid phone number.",
  21212: "The 'From' number is not a valid phone number.",
  21266: "'To' and 'From' number cannot be the same",
  21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number.",
  21602: "Message body is required.",
  21603: "A 'From' phone number is required.",
  21604: "A 'To' phone number is required.",
  21609: "The 'StatusCallback' URL is not a valid URL.",
  21610: "Attempt to send to unsubscribed recipient",
  21612: "The 'To' phone number is not currently reachable using the 'From' phone number via SMS.",
  21614: "'To' number is not a valid mobile number",
  21617: "The concatenated message body exceeds the 1600 character limit.",
  21656: "The ContentVariables parameter is invalid.",
  21910: "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel",
};
const MAX_BODY_CHARACTERS = 1600;
const E164 = /^\+[1-9]\d{6,14}$/;

export function twilioError(code: number, status = 400): SandboxReply {
  const more_info = `https://www.twilio.com/docs/errors/${code}`;
  return { status, body: { code, message: MESSAGES[code] ?? "Unknown error", more_info, status } };
}

/** Twilio's Messages API and as much of its Content API as a template needs. */
export function createTwilioApi(store: SandboxStore, account: TwilioAccount) {
  const base = `/2010-04-01/Accounts/${account.accountSid}`;

  async function create(request: SandboxRequest): Promise<SandboxReply> {
    const form = request.form();
    const fault = faultOf(form, store);
    if (fault !== null) return twilioError(fault);
    const message = messageOf(form, store);
    await store.addMessage(message, receiptsOf(message, account));
    return { status: 201, body: resourceOf(message, account, "queued") };
  }
  function list(request: SandboxRequest): SandboxReply {
    const query = request.url.searchParams;
    const size = Math.min(1000, Math.max(1, Number(query.get("PageSize") ?? 50) || 50));
    const found = store
      .messages()
      .filter((message) => isTwilios(message) && isListed(message, query))
      .toReversed();
    const page = Math.max(0, Number(query.get("Page") ?? 0) || 0);
    const [start, end] = [page * size, Math.min((page + 1) * size, found.length)];
    const messages = found.slice(start, end).map((message) => resourceOf(message, account, message.status));
    const uriOf = (number: number) => {
      const parts = new URLSearchParams(query);
      parts.set("PageSize", String(size));
      parts.set("Page", String(number));
      return `${base}/Messages.json?${parts.toString()}`;
    };
    const paging = { page, page_size: size, start, end, uri: uriOf(page), first_page_uri: uriOf(0) };
    const next_page_uri = end < found.length ? uriOf(page + 1) : null;
    const previous_page_uri = page > 0 ? uriOf(page - 1) : null;
    return { status: 200, body: { messages, ...paging, next_page_uri, previous_page_uri } };
  }
  function get(sid: string): SandboxReply {
    const message = store.message(sid);
    return message ? { status: 200, body: resourceOf(message, account, message.status) } : twilioError(20404, 404);
  }
  async function createContent(request: SandboxRequest): Promise<SandboxReply> {
    const content = contentOf(request.json());
    await store.addContent(content);
    const { body, ...rest } = content;
    return { status: 201, body: { ...rest, account_sid: account.accountSid, types: { "twilio/text": { body } } } };
  }
  return {
    /** Null: not one of Twilio's paths. */
    async handle(request: SandboxRequest): Promise<SandboxReply | null> {
      const path = request.url.pathname;
      const isContent = path === "/v1/Content";
      if (!isContent && !path.startsWith("/2010-04-01/")) return null;
      if (!isAuthorized(request, account)) return twilioError(20003, 401);
      if (isContent && request.method === "POST") return createContent(request);
      if (path === `${base}/Messages.json`) return request.method === "POST" ? create(request) : list(request);
      const sid = new RegExp(`^${base}/Messages/(\\w+)\\.json$`).exec(path)?.[1];
      return sid === undefined ? twilioError(20404, 404) : get(sid);
    },
    isSend: (request: SandboxRequest) => request.method === "POST" && request.url.pathname === `${base}/Messages.json`,
    /** What the reader's opening a WhatsApp message tells us. */
    readReceipt: (message: SandboxMessage): OwedWebhook[] =>
      message.channel === "whatsapp" ? statusCallbacks(message, account, [["read", 0]]) : [],
  };
}

function isAuthorized(request: SandboxRequest, account: TwilioAccount): boolean {
  const expected = `Basic ${Buffer.from(`${account.accountSid}:${account.authToken}`).toString("base64")}`;
  return isSameSecret(request.headers.authorization ?? "", expected);
}

export function isSameSecret(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash("sha256").update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(left, right);
}

const bare = (address: string) => address.replace(/^whatsapp:/, "");
const channelOf = (address: string) => (address.startsWith("whatsapp:") ? "whatsapp" : "sms");

function faultOf(form: URLSearchParams, store: SandboxStore): number | null {
  const [to, from] = [form.get("To") ?? "", form.get("From") ?? ""];
  if (to === "") return 21604;
  if (from === "" && !form.get("MessagingServiceSid")) return 21603;
  if (!E164.test(bare(to))) return 21211;
  if (from !== "" && !E164.test(bare(from))) return 21212;
  if (from !== "" && channelOf(to) !== channelOf(from)) return 21910;
  if (to === from) return 21266;
  return MAGIC_TO[bare(to)] ?? contentFaultOf(form, store);
}

function contentFaultOf(form: URLSearchParams, store: SandboxStore): number | null {
  const contentSid = form.get("ContentSid");
  const callback = form.get("StatusCallback");
  if (callback !== null && !URL.canParse(callback)) return 21609;
  if (contentSid !== null) return store.content(contentSid) && variablesOf(form) ? null : 21656;
  const body = form.get("Body") ?? "";
  if (body === "" && !form.has("MediaUrl")) return 21602;
  return [...body].length > MAX_BODY_CHARACTERS ? 21617 : null;
}

function variablesOf(form: URLSearchParams): Record<string, string> | null {
  try {
    return JSON.parse(form.get("ContentVariables") ?? "{}") as Record<string, string>;
  } catch {
    return null;
  }
}

function messageOf(form: URLSearchParams, store: SandboxStore): SandboxMessage {
  const to = form.get("To") ?? "";
  const isUndeliverable = bare(to) === UNDELIVERABLE;
  return {
    id: `SM${randomBytes(16).toString("hex")}`,
    channel: channelOf(to),
    to: bare(to),
    from: bare(form.get("From") ?? form.get("MessagingServiceSid") ?? ""),
    subject: null,
    body: bodyOf(form, store),
    received_at: new Date().toISOString(),
    status: isUndeliverable ? "failed" : "delivered",
    ...(isUndeliverable && { error_code: 30005 }),
    ...(form.has("StatusCallback") && { callback: form.get("StatusCallback") ?? "" }),
  };
}

function bodyOf(form: URLSearchParams, store: SandboxStore): string {
  const content = store.content(form.get("ContentSid") ?? "");
  if (!content) return form.get("Body") ?? "";
  const variables = { ...content.variables, ...variablesOf(form) };
  return content.body.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => variables[name] ?? whole);
}

function receiptsOf(message: SandboxMessage, account: TwilioAccount): OwedWebhook[] {
  const last = message.status === "failed" ? "undelivered" : "delivered";
  return statusCallbacks(message, account, [
    ["sent", 60],
    [last, 250],
  ]);
}

function statusCallbacks(message: SandboxMessage, account: TwilioAccount, steps: [string, number][]): OwedWebhook[] {
  const { callback } = message;
  if (callback === undefined) return [];
  const prefix = message.channel === "whatsapp" ? "whatsapp:" : "";
  return steps.map(([status, afterMs]) => ({
    id: randomUUID(),
    kind: "twilio",
    url: callback,
    due_at: new Date(Date.now() + afterMs).toISOString(),
    fields: {
      AccountSid: account.accountSid,
      ApiVersion: "2010-04-01",
      From: prefix + message.from,
      To: prefix + message.to,
      MessageSid: message.id,
      SmsSid: message.id,
      MessageStatus: status,
      SmsStatus: status,
      ...(status === "undelivered" && { ErrorCode: message.error_code ?? 30008 }),
    },
  }));
}

const isTwilios = (message: SandboxMessage) => message.channel === "sms" || message.channel === "whatsapp";

const normal = (limit: string) => (limit.length > 10 ? new Date(limit).toISOString() : limit);

function isListed(message: SandboxMessage, query: URLSearchParams): boolean {
  const prefix = message.channel === "whatsapp" ? "whatsapp:" : "";
  const day = message.received_at.slice(0, 10);
  // A date means the day, a time the moment.
  const place = (limit: string) => (limit.length > 10 ? message.received_at : day);
  const [on, after, before] = [query.get("DateSent"), query.get("DateSent>"), query.get("DateSent<")];
  return (
    (query.get("To") ?? prefix + message.to) === prefix + message.to &&
    (query.get("From") ?? prefix + message.from) === prefix + message.from &&
    (on === null || day === on.slice(0, 10)) &&
    (after === null || place(after) >= normal(after)) &&
    (before === null || place(before) <= normal(before))
  );
}

function resourceOf(message: SandboxMessage, account: TwilioAccount, status: string) {
  const prefix = message.channel === "whatsapp" ? "whatsapp:" : "";
  const date = new Date(message.received_at).toUTCString().replace("GMT", "+0000");
  return {
    account_sid: account.accountSid,
    api_version: "2010-04-01",
    body: message.body,
    date_created: date,
    date_sent: date,
    date_updated: date,
    direction: "outbound-api",
    error_code: message.error_code ?? null,
    error_message: null,
    from: prefix + message.from,
    to: prefix + message.to,
    messaging_service_sid: null,
    num_media: "0",
    num_segments: "1",
    price: null,
    price_unit: "USD",
    sid: message.id,
    status: status === "failed" ? "undelivered" : status === "opened" || status === "clicked" ? "read" : status,
    subresource_uris: {},
    uri: `/2010-04-01/Accounts/${account.accountSid}/Messages/${message.id}.json`,
  };
}

function contentOf(json: unknown): Content {
  const types = fieldOf(json, "types");
  return {
    sid: `HX${randomBytes(16).toString("hex")}`,
    friendly_name: textOf(json, "friendly_name"),
    language: textOf(json, "language") || "en",
    variables: (fieldOf(json, "variables") ?? {}) as Record<string, string>,
    body: textOf(fieldOf(types, "twilio/text"), "body"),
  };
}
