import type { ActivityInboundCallsInterceptor } from "@temporalio/worker";
import { ApplicationFailure } from "@temporalio/common";

import { type ErrorCode, isAppError } from "../core/errors.ts";

/** Asking again changes nothing about these. */
const FINAL = new Set<ErrorCode>(["invalid", "forbidden", "not_found"]);

/** The one place where our errors become Temporal's. What is not ours is retried: it may be a store that is away. */
export const errorInterceptor: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      if (!isAppError(error)) throw error;
      const { code, message, retryAfterMs } = error;
      throw ApplicationFailure.create({
        type: code,
        message,
        nonRetryable: FINAL.has(code),
        cause: error,
        ...(retryAfterMs !== undefined && { nextRetryDelay: retryAfterMs }),
      });
    }
  },
};
