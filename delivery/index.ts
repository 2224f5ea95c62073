export { createDeliveryContext, type DeliveryContext } from "./context.ts";
export { deliver } from "./deliver.ts";
export { createDeliveryMetrics } from "./metrics.ts";
export { sweepDeliveries, type SweepReport } from "./sweep.ts";
export { isKnownTemplate } from "./template-lookup.ts";
export type { WebhookContext } from "./webhooks/context.ts";
export { handleSendGridEvents } from "./webhooks/sendgrid.ts";
export { handleTwilioStatus } from "./webhooks/twilio.ts";
