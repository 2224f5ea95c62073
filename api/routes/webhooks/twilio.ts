import { handleTwilioStatus } from "../../../delivery/index.ts";
import { defineWebhook } from "../../route.ts";

export const twilioWebhook = defineWebhook({
  method: "post",
  path: "/webhooks/twilio",
  operationId: "takeTwilioStatus",
  tag: "webhooks",
  summary: "Twilio's status callback, signed with X-Twilio-Signature",
  provider: "twilio",
  consumes: ["application/x-www-form-urlencoded"],
  responses: { 204: { description: "Kept." } },
  async handle({ webhooks, url, headers, raw }) {
    const params = Object.fromEntries(new URLSearchParams(raw.toString("utf8")));
    await handleTwilioStatus(webhooks, { url, params, signature: headers["x-twilio-signature"]?.toString() });
    return { status: 204 };
  },
});
