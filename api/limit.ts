import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";

import { AppError } from "../core/errors.ts";
import type { ApiContext } from "./context.ts";

const WRONG_KEYS_A_MINUTE = 300;

export interface Limiter {
  /** Throws `limited` where the client has asked too often this second, over all processes. */
  take(clientId: string): Promise<void>;
  /** Throws `limited` where too many wrong keys came from the address. */
  refuseGuesser(address: string): void;
  countGuess(address: string): void;
}

/** Counted in Redis; while that is away, each process counts for itself. */
export function createLimiter({ redis, config }: Pick<ApiContext, "redis" | "config">): Limiter {
  const points = config.LIVORA_API_REQUESTS_PER_SECOND;
  const own = new RateLimiterMemory({ points, duration: 1 });
  const keyPrefix = "livora:api-limit";
  const shared = new RateLimiterRedis({ storeClient: redis, keyPrefix, points, duration: 1, insuranceLimiter: own });
  const guesses = new Map<string, { count: number; untilMs: number }>();
  return {
    async take(clientId) {
      try {
        await shared.consume(clientId);
      } catch (refusal) {
        throw limited(refusal instanceof RateLimiterRes ? refusal.msBeforeNext : 1_000);
      }
    },
    refuseGuesser(address) {
      const entry = guesses.get(address);
      if (entry && entry.untilMs > Date.now() && entry.count >= WRONG_KEYS_A_MINUTE) {
        throw limited(entry.untilMs - Date.now());
      }
    },
    countGuess(address) {
      const entry = guesses.get(address);
      if (entry && entry.untilMs > Date.now()) entry.count += 1;
      else remember(guesses, address);
    },
  };
}

function remember(guesses: Map<string, { count: number; untilMs: number }>, address: string): void {
  guesses.delete(address);
  guesses.set(address, { count: 1, untilMs: Date.now() + 60_000 });
  if (guesses.size > 10_000) guesses.delete(guesses.keys().next().value!);
}

function limited(retryAfterMs: number): AppError {
  return new AppError("limited", "Too many requests.", { retryAfterMs });
}
