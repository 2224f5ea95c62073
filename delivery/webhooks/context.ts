import type { DeliveryContext } from "../context.ts";

/** What webhooks need of a delivery service: the ledger and the stream; no provider is asked. */
export type WebhookContext = Pick<DeliveryContext, "config" | "log" | "db" | "producer" | "deliveryMetrics">;
