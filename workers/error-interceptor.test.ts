import { ApplicationFailure, CancelledFailure } from "@temporalio/common";
import { DrizzleQueryError } from "drizzle-orm";
import { expect, test } from "vitest";

import { AppError } from "../core/errors.ts";
import { errorInterceptor } from "./error-interceptor.ts";

test.each([
  ["invalid", true],
  ["not_found", true],
  ["unavailable", false],
  ["internal", false],
] as const)("%s is final: %s", async (code, nonRetryable) => {
  const failure = await failureOf(new AppError(code, "why", { retryAfterMs: 250 }));
  expect(failure).toMatchObject({ type: code, message: "why", nonRetryable, nextRetryDelay: 250 });
});

test("what is not ours is tried again, and the history keeps none of its values", async () => {
  const cause = Object.assign(new Error("connection lost"), { detail: "Key (email)=(a@example.com)" });
  const failure = await failureOf(new DrizzleQueryError("select $1", ["a@example.com"], cause));
  expect(failure).toMatchObject({ nonRetryable: false, message: "Failed query: select $1 (connection lost)" });
  expect(JSON.stringify([failure, failure.message, failure.stack, failure.cause])).not.toContain("example.com");
});

test("Temporal's own stay what they are", async () => {
  const cancelled = new CancelledFailure("stop");
  expect(await failureOf(cancelled)).toBe(cancelled);
});

async function failureOf(error: Error): Promise<ApplicationFailure> {
  try {
    await errorInterceptor.execute?.({ args: [], headers: {} }, async () => {
      throw error;
    });
  } catch (failure) {
    return failure as ApplicationFailure;
  }
  throw new Error("nothing was thrown");
}
