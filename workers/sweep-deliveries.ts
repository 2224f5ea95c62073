import { setTimeout as sleep } from "node:timers/promises";

import type { DeliveryContext } from "../delivery/context.ts";
import { sweepDeliveries } from "../delivery/sweep.ts";

const EVERY_MS = 15_000;

/** Looks after messages of unknown fate, again and again, until stopped. */
export function keepSweepingDeliveries(ctx: DeliveryContext): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = sweep(ctx, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function sweep(ctx: DeliveryContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await sweepDeliveries(ctx).catch((error: unknown) => {
      ctx.log.warn({ err: (error as Error).message }, "deliveries not swept");
    });
  }
}
