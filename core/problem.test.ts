import { describe, expect, test } from "vitest";

import { AppError, type ErrorCode } from "./errors.ts";
import { answerOf, HttpError, problemSchema } from "./problem.ts";

describe("what the caller is told", () => {
  test.each<[ErrorCode, number]>([
    ["invalid", 400],
    ["forbidden", 403],
    ["not_found", 404],
    ["conflict", 409],
    ["limited", 429],
    ["misconfigured", 500],
    ["internal", 500],
    ["unavailable", 503],
  ])("%s is %i", (code, status) => {
    const { problem } = answerOf(new AppError(code, "why"), "r1");
    expect(problem).toMatchObject({ status, code, request_id: "r1" });
    expect(problemSchema.parse(problem)).toEqual(problem);
  });

  test("nothing of what went wrong inside", () => {
    const secrets = [new Error("password=1"), new AppError("misconfigured", "password=1"), "password=1"];
    expect(JSON.stringify(secrets.map((error) => answerOf(error, "r1")))).not.toContain("password");
  });

  test("every fault, and when to come back", () => {
    const faults = [{ path: "/name", reason: "is required", index: 3 }];
    const { problem, headers } = answerOf(new AppError("limited", "slow down", { faults, retryAfterMs: 1500 }), "r1");
    expect(problem.errors).toEqual(faults);
    expect(headers).toEqual({ "content-type": "application/problem+json", "retry-after": "2" });
  });

  test("what only HTTP knows", () => {
    const { status, problem, headers } = answerOf(new HttpError(405, "use GET", { allow: "GET" }), "r1");
    expect({ status, code: problem.code, detail: problem.detail, allow: headers.allow }).toEqual({
      status: 405,
      code: "method_not_allowed",
      detail: "use GET",
      allow: "GET",
    });
  });
});
