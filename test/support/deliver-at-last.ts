import { setTimeout as sleep } from "node:timers/promises";

import type { SendOutcome, SendRequest } from "../../core/contracts/journey.ts";
import { isAppError } from "../../core/errors.ts";
import type { DeliveryContext } from "../../delivery/context.ts";
import { deliver } from "../../delivery/deliver.ts";

const TRIES = 60;

/** As Temporal does it: again, after the pause that the error asks for. */
export async function deliverAtLast(ctx: DeliveryContext, request: SendRequest): Promise<SendOutcome> {
  for (let i = 0; ; i++) {
    try {
      return await deliver(ctx, request);
    } catch (error) {
      if (!isAppError(error, "unavailable") || i >= TRIES) throw error;
      await sleep(Math.min(300, error.retryAfterMs ?? 300));
    }
  }
}
