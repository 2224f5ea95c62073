import { setTimeout as sleep } from "node:timers/promises";

import { AppError } from "../core/errors.ts";
import { readStopHint } from "../platform/stop-hint.ts";
import { readWatermark } from "../platform/watermark.ts";
import type { DeliveryContext } from "./context.ts";

const POLL_MS = 25;

/**
 * Waits until every event that the edge acknowledged before now has been considered: whatever ends the run has then ended
 * it in PostgreSQL, where the reservation looks. A hint that something has just come in for this person is waited for
 * too. Throws `unavailable` where the pipeline does not get there in time: the message waits, it is never sent blindly.
 */
export async function waitUntilConsidered(
  ctx: DeliveryContext,
  person: { client_id: string; person_keys: readonly string[] },
): Promise<void> {
  const beganMs = Date.now();
  const deadlineMs = beganMs + ctx.patience.watermarkMs;
  while (!(await isConsidered(ctx, person, beganMs))) {
    if (Date.now() > deadlineMs) {
      throw new AppError("unavailable", "Events that came before this message are still under way.", {
        retryAfterMs: 1_000,
      });
    }
    await sleep(POLL_MS);
  }
  ctx.deliveryMetrics.waited((Date.now() - beganMs) / 1000);
}

async function isConsidered(
  ctx: DeliveryContext,
  { client_id, person_keys }: { client_id: string; person_keys: readonly string[] },
  beganMs: number,
): Promise<boolean> {
  try {
    // The hint first: one that is left in between belongs to an event that is not acknowledged yet.
    const hintMs = await readStopHint(ctx.redis, client_id, person_keys);
    const watermarkMs = await readWatermark(ctx.redis, "automation");
    return watermarkMs >= beganMs && watermarkMs > (hintMs ?? 0);
  } catch (error) {
    throw new AppError("unavailable", "The watermark is out of reach.", { cause: error, retryAfterMs: 1_000 });
  }
}
