import twilio from "twilio";

import type { ReceiptKind } from "../../core/delivery.ts";
import { AppError } from "../../core/errors.ts";
import type { WebhookContext } from "./context.ts";
import { takeReport } from "./take-report.ts";

export interface TwilioStatusCall {
  /** As Twilio was told it: scheme, host, path and query. */
  url: string;
  /** The form's fields. */
  params: Record<string, string>;
  /** `X-Twilio-Signature`. */
  signature: string | undefined;
}

/** Statuses on the way (queued, sending, …) say nothing that the ledger does not know. */
const KINDS: Record<string, ReceiptKind> = {
  sent: "submitted",
  delivered: "delivered",
  read: "opened",
  failed: "failed",
  undelivered: "failed",
};

/**
 * A status callback: verified, into ledger, story and stream. Throws `forbidden` where the signature is not Twilio's, and
 * `unavailable` where it could not be kept: Twilio then tells it again.
 */
export async function handleTwilioStatus(ctx: WebhookContext, call: TwilioStatusCall): Promise<void> {
  const { url, params, signature = "" } = call;
  const isTwilios = twilio.validateRequest(ctx.config.LIVORA_TWILIO_AUTH_TOKEN, signature, url, params);
  if (!isTwilios) throw new AppError("forbidden", "The signature is not Twilio's.");
  const kind = KINDS[params.MessageStatus ?? ""];
  const delivery_id = new URL(url).searchParams.get("delivery_id") ?? "";
  if (!kind) return;
  await takeReport(ctx, {
    delivery_id,
    kind,
    // Twilio does not say when it was.
    at: new Date().toISOString(),
    provider_message_id: params.MessageSid ?? "",
    ...(kind === "failed" && { reason: `twilio:${params.ErrorCode ?? params.MessageStatus}` }),
  });
}
