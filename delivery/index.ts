export { createDeliveryMetrics } from "./metrics.ts";
export type { WebhookContext } from "./webhooks/context.ts";
export { handleSendGridEvents } from "./webhooks/sendgrid.ts";
export { handleTwilioStatus } from "./webhooks/twilio.ts";
