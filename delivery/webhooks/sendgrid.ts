import { EventWebhook } from "@sendgrid/eventwebhook";

import type { ReceiptKind } from "../../core/delivery.ts";
import { AppError } from "../../core/errors.ts";
import type { Config } from "../../platform/config.ts";
import { readSandboxKeys } from "../providers/sandbox/keys.ts";
import { messageIdOf } from "../providers/sendgrid.ts";
import type { WebhookContext } from "./context.ts";
import { takeReport } from "./take-report.ts";

export interface SendgridEventsCall {
  /** The body's bytes, as they came: it is they that are signed. */
  rawBody: Buffer;
  /** `X-Twilio-Email-Event-Webhook-Signature`. */
  signature: string | undefined;
  /** `X-Twilio-Email-Event-Webhook-Timestamp`. */
  timestamp: string | undefined;
}

/** `processed` is SendGrid's own yes; `deferred` says that it is still trying; a complaint means that it had arrived. */
const KINDS: Record<string, ReceiptKind> = {
  processed: "submitted",
  delivered: "delivered",
  bounce: "failed",
  blocked: "failed",
  dropped: "failed",
  open: "opened",
  click: "clicked",
  spamreport: "delivered",
};

interface SendgridEvent {
  event?: unknown;
  timestamp?: unknown;
  delivery_id?: unknown;
  sg_message_id?: unknown;
  reason?: unknown;
  status?: unknown;
  type?: unknown;
}

/**
 * A batch of the signed event webhook: verified, each event into ledger, story and stream. Throws `forbidden` where the
 * signature is not SendGrid's, `invalid` where the body is no list, and `unavailable` where something could not be kept:
 * SendGrid then tells all of it again. An old batch that somebody plays back changes nothing, so its age does not matter.
 */
export async function handleSendGridEvents(ctx: WebhookContext, call: SendgridEventsCall): Promise<void> {
  if (!isSigned(await publicKeyOf(ctx.config), call)) {
    throw new AppError("forbidden", "The signature is not SendGrid's.");
  }
  // One after the other: a batch mostly tells of few messages, several times of each.
  for (const event of eventsOf(call.rawBody)) {
    const kind = KINDS[String(event.event)];
    if (kind) await takeReport(ctx, reportOf(event, kind));
  }
}

function isSigned(publicKey: string, { rawBody, signature = "", timestamp = "" }: SendgridEventsCall): boolean {
  const webhook = new EventWebhook();
  try {
    return webhook.verifySignature(webhook.convertPublicKeyToECDSA(publicKey), rawBody, signature, timestamp);
  } catch {
    // What is not even a signature.
    return false;
  }
}

/** Kept once it is known: keys are rotated with a restart. */
const sandboxKeys = new Map<string, string>();

async function publicKeyOf(config: Config): Promise<string> {
  if (config.LIVORA_SENDGRID_WEBHOOK_KEY !== "") return config.LIVORA_SENDGRID_WEBHOOK_KEY;
  const dir = config.LIVORA_SANDBOX_DIR;
  const known = sandboxKeys.get(dir);
  if (known) return known;
  const keys = config.LIVORA_SENDGRID_URL === "" ? null : await readSandboxKeys(dir);
  if (!keys) throw new AppError("misconfigured", "SendGrid's webhook key is not set.");
  sandboxKeys.set(dir, keys.sendgridPublicKey);
  return keys.sendgridPublicKey;
}

function eventsOf(rawBody: Buffer): SendgridEvent[] {
  try {
    const events: unknown = JSON.parse(rawBody.toString("utf8"));
    if (Array.isArray(events)) return events.filter((event) => typeof event === "object" && event !== null);
  } catch (cause) {
    throw new AppError("invalid", "The body is not JSON.", { cause });
  }
  throw new AppError("invalid", "The body is not a list of events.");
}

function reportOf(event: SendgridEvent, kind: ReceiptKind) {
  const seconds = Number(event.timestamp);
  const reason = [event.status ?? event.event, event.type === event.event ? null : event.type]
    .filter(Boolean)
    .join(" ");
  return {
    delivery_id: String(event.delivery_id ?? ""),
    kind,
    at: new Date(Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : Date.now()).toISOString(),
    provider_message_id: messageIdOf(String(event.sg_message_id ?? "")),
    ...(kind === "failed" && { reason: `sendgrid:${reason}` }),
  };
}
