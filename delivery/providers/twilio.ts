import twilio from "twilio";

import { contentHash } from "../content-hash.ts";
import type { Config } from "../../platform/config.ts";
import { classifyFailure, classifyStatus } from "./classify.ts";
import type { OutgoingMessage, Provider, ProviderAnswer } from "./provider.ts";

export type TwilioConfig = Pick<
  Config,
  "LIVORA_TWILIO_URL" | "LIVORA_TWILIO_ACCOUNT_SID" | "LIVORA_TWILIO_AUTH_TOKEN" | "LIVORA_PUBLIC_API_URL"
>;

/** Twilio tells times to the second. */
const CLOCK_SLACK_MS = 2_000;
const SEARCHED = 50;

export interface TwilioOptions {
  channel: "sms" | "whatsapp";
  timeoutMs: number;
  searchLagMs: number;
}

export function createTwilioProvider(config: TwilioConfig, options: TwilioOptions): Provider {
  const client = twilio(config.LIVORA_TWILIO_ACCOUNT_SID, config.LIVORA_TWILIO_AUTH_TOKEN, {
    timeout: options.timeoutMs,
  });
  if (config.LIVORA_TWILIO_URL !== "") client.api.baseUrl = config.LIVORA_TWILIO_URL;
  const prefix = options.channel === "whatsapp" ? "whatsapp:" : "";
  return {
    name: "twilio",
    replacesRepeats: false,
    searchLagMs: options.searchLagMs,
    async send(message): Promise<ProviderAnswer> {
      try {
        const { sid } = await client.messages.create({
          to: prefix + message.to,
          from: prefix + message.from,
          statusCallback: statusCallbackOf(config, message),
          ...textOf(message),
        });
        return { kind: "accepted", message_id: sid };
      } catch (error) {
        return classifyTwilio(error);
      }
    },
    async find(_deliveryId, handover) {
      // Newest first. Not by date: a message that waits in Twilio's queue has none yet.
      const sent = await client.messages.list({
        to: prefix + handover.to,
        from: prefix + handover.from,
        limit: SEARCHED,
      });
      const since = Date.parse(handover.at) - CLOCK_SLACK_MS;
      const until = handover.until === undefined ? Infinity : Date.parse(handover.until) + CLOCK_SLACK_MS;
      return sent
        .filter((message) => message.dateCreated.getTime() >= since && message.dateCreated.getTime() <= until)
        .filter((message) => handover.content_sha256 === "" || contentHash(message.body) === handover.content_sha256)
        .map((message) => message.sid)
        .toReversed();
    },
  };
}

function textOf({ content, body }: OutgoingMessage) {
  if (!content) return { body };
  return { contentSid: content.sid, contentVariables: JSON.stringify(content.variables) };
}

/** Twilio signs the whole address, so what stands in it can be believed. */
function statusCallbackOf(config: TwilioConfig, { delivery_id }: OutgoingMessage): string {
  return `${config.LIVORA_PUBLIC_API_URL}/webhooks/twilio?delivery_id=${delivery_id}`;
}

function classifyTwilio(error: unknown): ProviderAnswer {
  const { status, code } = error as { status?: unknown; code?: unknown };
  if (typeof status !== "number") return classifyFailure("twilio", error);
  return classifyStatus({ provider: "twilio", status, code: String(code ?? status) });
}
