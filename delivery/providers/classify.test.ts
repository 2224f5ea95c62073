import { describe, expect, it } from "vitest";

import { classifyFailure, classifyStatus, retryAfterOf } from "./classify.ts";

const limited = (retryAfterMs?: number) => classifyStatus({ provider: "p", status: 429, code: "429", retryAfterMs });
const kindOf = (status: number) => classifyStatus({ provider: "p", status, code: "c" }).kind;

describe("what a provider's answer means", () => {
  it("knows a refusal of the message from a fault of ours or theirs", () => {
    expect([400, 403, 404, 413, 422].map(kindOf)).toEqual(Array(5).fill("refused"));
    expect([500, 502, 503, 504, 408].map(kindOf)).toEqual(Array(5).fill("lost"));
    expect(kindOf(429)).toBe("limited");
    expect(kindOf(401)).toBe("unreachable");
  });

  it("takes the provider's word for when to come back, within reason", () => {
    expect(limited(1_500)).toMatchObject({ retry_after_ms: 1_500 });
    expect(limited()).toMatchObject({ retry_after_ms: 5_000 });
    expect(limited(1e12)).toMatchObject({ retry_after_ms: 3_600_000 });
    expect(retryAfterOf("2")).toBe(2_000);
    expect(retryAfterOf("Sat, 21 Nov 2026 10:00:05 GMT", Date.parse("2026-11-21T10:00:00Z"))).toBe(5_000);
    expect(retryAfterOf("soon")).toBeUndefined();
  });

  it("is sure that nothing was sent only where no connection came about", () => {
    const refused = Object.assign(new Error("x"), { code: "ECONNREFUSED", syscall: "connect" });
    const wrapped = new TypeError("fetch failed", { cause: new AggregateError([refused]) });
    expect(classifyFailure("p", refused)).toEqual({ kind: "unreachable", reason: "p:ECONNREFUSED" });
    expect(classifyFailure("p", wrapped).kind).toBe("unreachable");
    expect(classifyFailure("p", Object.assign(new Error("x"), { code: "ETIMEDOUT", syscall: "connect" })).kind).toBe(
      "unreachable",
    );
    for (const code of ["ECONNRESET", "ECONNABORTED", "ETIMEDOUT", "EPIPE"]) {
      expect(classifyFailure("p", Object.assign(new Error("x"), { code })).kind).toBe("lost");
    }
    expect(classifyFailure("p", "?")).toEqual({ kind: "lost", reason: "p:no_answer" });
  });
});
