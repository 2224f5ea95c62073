import type { Channel } from "../../core/message.ts";
import { MINUTE_MS } from "../../core/time.ts";
import type { Config } from "../../platform/config.ts";
import { createFcmProvider } from "./fcm.ts";
import type { Provider } from "./provider.ts";
import { createSendgridProvider } from "./sendgrid.ts";
import { createTwilioProvider } from "./twilio.ts";

/** How far the real ones' searches lag behind; the sandbox' does not. */
const TWILIO_LAG_MS = 30_000;
const SENDGRID_LAG_MS = 5 * MINUTE_MS;
const SANDBOX_LAG_MS = 1_000;

export function createProviders(config: Config, timeoutMs: number): Record<Channel, Provider> {
  const twilio = { timeoutMs, searchLagMs: lagOf(config.LIVORA_TWILIO_URL, TWILIO_LAG_MS) };
  return {
    email: createSendgridProvider(config, {
      timeoutMs,
      searchLagMs: lagOf(config.LIVORA_SENDGRID_URL, SENDGRID_LAG_MS),
    }),
    sms: createTwilioProvider(config, { ...twilio, channel: "sms" }),
    whatsapp: createTwilioProvider(config, { ...twilio, channel: "whatsapp" }),
    push: createFcmProvider(config, { timeoutMs }),
  };
}

function lagOf(url: string, lagMs: number): number {
  return url === "" ? lagMs : SANDBOX_LAG_MS;
}
