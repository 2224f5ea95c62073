import { Counter, Gauge, Histogram, type Registry } from "prom-client";

import type { Channel } from "../core/message.ts";

export interface DeliveryMetrics {
  /** Something became of a message: a state of the ledger, `opened`, `clicked`, or `held`, `stopped`, `limited`. */
  became(channel: Channel, state: string): void;
  answered(channel: Channel, answer: string, seconds: number): void;
  waited(seconds: number): void;
  unsettled(count: number): void;
}

export function createDeliveryMetrics(registry: Registry): DeliveryMetrics {
  const registers = [registry];
  const deliveries = new Counter({
    name: "livora_deliveries_total",
    help: "What became of messages, by channel and state",
    labelNames: ["channel", "state"],
    registers,
  });
  const providers = new Histogram({
    name: "livora_provider_seconds",
    help: "How long providers take to answer, by channel and answer",
    labelNames: ["channel", "answer"],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers,
  });
  const waits = new Histogram({
    name: "livora_delivery_watermark_wait_seconds",
    help: "How long messages wait until everything acknowledged before them has been considered",
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  const unsettled = new Gauge({
    name: "livora_deliveries_unsettled",
    help: "Messages whose fate is not known yet, at the last look",
    registers,
  });
  return {
    became: (channel, state) => deliveries.inc({ channel, state }),
    answered: (channel, answer, seconds) => providers.observe({ channel, answer }, seconds),
    waited: (seconds) => waits.observe(seconds),
    unsettled: (count) => unsettled.set(count),
  };
}
