import { handleSendGridEvents } from "../../../delivery/index.ts";
import { defineWebhook } from "../../route.ts";

const HEADERS = {
  signature: "x-twilio-email-event-webhook-signature",
  timestamp: "x-twilio-email-event-webhook-timestamp",
} as const;

export const sendgridWebhook = defineWebhook({
  method: "post",
  path: "/webhooks/sendgrid",
  operationId: "takeSendGridEvents",
  tag: "webhooks",
  summary: "SendGrid's signed event webhook",
  provider: "sendgrid",
  consumes: ["application/json"],
  responses: { 204: { description: "Kept." } },
  async handle({ webhooks, headers, raw }) {
    const header = (name: string) => headers[name]?.toString();
    const [signature, timestamp] = [header(HEADERS.signature), header(HEADERS.timestamp)];
    await handleSendGridEvents(webhooks, { rawBody: raw, signature, timestamp });
    return { status: 204 };
  },
});
