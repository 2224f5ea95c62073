import { setTimeout as sleep } from "node:timers/promises";

import { AppError } from "../core/errors.ts";
import { readRedisTimeMs } from "../platform/redis-time.ts";
import { markSend, unmarkSend } from "../platform/sends-under-way.ts";
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
  const beganMs = await readRedisTimeMs(ctx.redis).catch((cause: unknown) => {
    throw outOfReach(cause);
  });
  const waitingSinceMs = performance.now();
  while (!(await isConsidered(ctx, person, beganMs))) {
    if (performance.now() - waitingSinceMs > ctx.patience.watermarkMs) {
      throw new AppError("unavailable", "Events that came before this message are still under way.", {
        retryAfterMs: 1_000,
      });
    }
    await sleep(POLL_MS);
  }
  ctx.deliveryMetrics.waited((performance.now() - waitingSinceMs) / 1000);
}

/**
 * Runs `work`, which takes a message and hands it over, at a moment when nothing has come in for this person that was not
 * considered; what comes in while it runs is answered only afterwards. So no message is younger than the answer to the
 * event that should have stopped it.
 */
export async function whileNothingComesIn<T>(
  ctx: DeliveryContext,
  person: { client_id: string; person_keys: readonly string[] },
  sendId: string,
  work: () => Promise<T>,
): Promise<T> {
  const marked = { clientId: person.client_id, personKeys: person.person_keys };
  for (;;) {
    try {
      await markSend(ctx.redis, marked, sendId).catch((cause: unknown) => {
        throw outOfReach(cause);
      });
      if (await isConsidered(ctx, person, 0)) return await work();
    } finally {
      // It goes by itself where Redis is away.
      await unmarkSend(ctx.redis, marked, sendId).catch(() => undefined);
    }
    await waitUntilConsidered(ctx, person);
  }
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
    throw outOfReach(error);
  }
}

function outOfReach(cause: unknown): AppError {
  return new AppError("unavailable", "The watermark is out of reach.", { cause, retryAfterMs: 1_000 });
}
