import { ApplicationFailure } from "@temporalio/common";
import { describe, expect, it } from "vitest";

import { AppError } from "../core/errors.ts";
import { errorInterceptor } from "./error-interceptor.ts";

async function failureOf(error: unknown): Promise<unknown> {
  const fail = async () => {
    throw error;
  };
  return errorInterceptor.execute!({ args: [], headers: {} }, fail).catch((failure: unknown) => failure);
}

describe("errors of activities", () => {
  it.each(["invalid", "forbidden", "not_found"] as const)("are final when they are %s", async (code) => {
    const failure = await failureOf(new AppError(code, "no"));
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: code, nonRetryable: true, message: "no" });
  });

  it("are tried again when a store is away, no sooner than it asks for", async () => {
    const failure = await failureOf(new AppError("unavailable", "later", { retryAfterMs: 1500 }));
    expect(failure).toMatchObject({ type: "unavailable", nonRetryable: false, nextRetryDelay: 1500 });
  });
});
