import type { Registry } from "prom-client";

import type { Channel } from "../core/message.ts";
import { MINUTE_MS } from "../core/time.ts";
import type { Context } from "../platform/context.ts";
import type { StreamProducer } from "../platform/stream/types.ts";
import { createDeliveryMetrics, type DeliveryMetrics } from "./metrics.ts";
import { createProviders } from "./providers/index.ts";
import type { Provider } from "./providers/provider.ts";

/** How long things may take, milliseconds. */
export interface DeliveryPatience {
  /** A provider's answer. */
  providerMs: number;
  /** The watermark, in one attempt. */
  watermarkMs: number;
  /** After this a journey goes on without knowing what became of its message; the sweep goes on asking. */
  unknownMs: number;
}

export interface DeliveryContext extends Context {
  /** Of the stream "events": deliveries come back as events. */
  producer: StreamProducer;
  providers: Record<Channel, Provider>;
  deliveryMetrics: DeliveryMetrics;
  patience: DeliveryPatience;
}

const PATIENCE: DeliveryPatience = { providerMs: 10_000, watermarkMs: 20_000, unknownMs: 15 * MINUTE_MS };

export function createDeliveryContext(
  ctx: Context,
  parts: { producer: StreamProducer; registry: Registry; patience?: Partial<DeliveryPatience> },
): DeliveryContext {
  const patience = { ...PATIENCE, ...parts.patience };
  return {
    ...ctx,
    patience,
    producer: parts.producer,
    providers: createProviders(ctx.config, patience.providerMs),
    deliveryMetrics: createDeliveryMetrics(parts.registry),
  };
}
