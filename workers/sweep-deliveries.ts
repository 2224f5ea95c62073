import type { DeliveryContext } from "../delivery/context.ts";
import { sweepDeliveries } from "../delivery/sweep.ts";
import { repeat } from "./repeat.ts";

const EVERY_MS = 15_000;

/** Looks after messages of unknown fate, again and again, until stopped. */
export function keepSweepingDeliveries(ctx: DeliveryContext): { stop(): Promise<void> } {
  return repeat(EVERY_MS, async () => {
    await sweepDeliveries(ctx).catch((error: unknown) => {
      ctx.log.warn({ err: (error as Error).message }, "deliveries not swept");
    });
  });
}
