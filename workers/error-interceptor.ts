import type { ActivityInboundCallsInterceptor } from "@temporalio/worker";
import { CompleteAsyncError } from "@temporalio/activity";
import { ApplicationFailure, TemporalFailure } from "@temporalio/common";

import { type ErrorCode, isAppError } from "../core/errors.ts";
import { describeError } from "../platform/describe-error.ts";

/** Asking again changes nothing about these. */
const FINAL = new Set<ErrorCode>(["invalid", "forbidden", "not_found"]);

/**
 * The one place where our errors become Temporal's. What is not ours is retried: it may be a store that is away. A failure
 * stays in the history for as long as that does, so it is described without the values that a statement failed on.
 */
export const errorInterceptor: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      if (error instanceof TemporalFailure || error instanceof CompleteAsyncError) throw error;
      throw toFailure(error);
    }
  },
};

function toFailure(error: unknown): ApplicationFailure {
  const { type, message, stack, cause } = describeError(error);
  const because = cause ? `${message} (${cause.message})` : message;
  const failure = ApplicationFailure.create({
    type: isAppError(error) ? error.code : type,
    message: because,
    nonRetryable: isAppError(error) && FINAL.has(error.code),
    ...(isAppError(error) && error.retryAfterMs !== undefined && { nextRetryDelay: error.retryAfterMs }),
  });
  if (stack !== undefined) failure.stack = stack;
  return failure;
}
