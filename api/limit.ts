import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";

import { AppError } from "../core/errors.ts";
import type { ApiContext } from "./context.ts";

export interface Limiter {
  /** Throws `limited` where the client has asked too often this second, over all processes. */
  take(clientId: string): Promise<void>;
}

/** Counted in Redis; while that is away, each process counts for itself. */
export function createLimiter({ redis, config }: Pick<ApiContext, "redis" | "config">): Limiter {
  const points = config.LIVORA_API_REQUESTS_PER_SECOND;
  const own = new RateLimiterMemory({ points, duration: 1 });
  const keyPrefix = "livora:api-limit";
  const shared = new RateLimiterRedis({ storeClient: redis, keyPrefix, points, duration: 1, insuranceLimiter: own });
  return {
    async take(clientId) {
      try {
        await shared.consume(clientId);
      } catch (refusal) {
        throw limited(refusal instanceof RateLimiterRes ? refusal.msBeforeNext : 1_000);
      }
    },
  };
}

function limited(retryAfterMs: number): AppError {
  return new AppError("limited", "Too many requests.", { retryAfterMs });
}
