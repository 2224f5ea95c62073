import { Redis } from "ioredis";
import { expect, test, vi } from "vitest";

import type { AppError } from "../core/errors.ts";
import { HOUR_MS } from "../core/time.ts";
import type { Caller } from "../platform/keyring.ts";
import { createLimiter, type Limiter } from "./limit.ts";

/** Never connected: each process then counts for itself. */
const away = new Redis({ lazyConnect: true });
const callerOf = (eventsPerSecond: number): Caller => ({
  clientId: `c${eventsPerSecond}`,
  actor: "key:test",
  scopes: ["ingest"],
  eventsPerSecond,
});

async function take(limiter: Limiter, caller: Caller, events: number): Promise<"taken" | AppError> {
  try {
    limiter.refuseExhausted(caller);
    await limiter.take(caller, events);
    return "taken";
  } catch (error) {
    return error as AppError;
  }
}

test("gives out exactly the window's events, in whatever portions they are asked for", async () => {
  for (const portion of [1, 7, 50, 100]) {
    const [limiter, caller] = [createLimiter(away), callerOf(20)];
    const answers = await Promise.all(Array.from({ length: 200 }, () => take(limiter, caller, portion)));
    const taken = answers.filter((answer) => answer === "taken").length;
    expect(taken * portion).toBe(Math.floor(100 / portion) * portion);
    for (const refusal of answers.filter((answer) => answer !== "taken")) {
      expect(refusal).toMatchObject({ code: "limited", retryAfterMs: expect.any(Number) });
    }
  }
});

test("clients do not take from each other, and a new window starts anew", async () => {
  const limiter = createLimiter(away);
  const [one, other] = [callerOf(100), { ...callerOf(100), clientId: "other" }];
  expect(await take(limiter, one, 100)).toBe("taken");
  const refused = await take(limiter, one, 1);
  expect(refused).toMatchObject({ code: "limited" });
  expect(await take(limiter, other, 100)).toBe("taken");
  // A timer may go off a part of a millisecond early.
  await new Promise((resolve) => setTimeout(resolve, (refused as AppError).retryAfterMs! + 10));
  expect(await take(limiter, one, 100)).toBe("taken");
});

test("who has used up a window is let in again after it, also when the wall's clock is set back", async () => {
  const [limiter, caller] = [createLimiter(away), callerOf(100)];
  expect(await take(limiter, caller, 100)).toBe("taken");
  const refused = (await take(limiter, caller, 1)) as AppError;
  const { now } = Date;
  vi.spyOn(Date, "now").mockImplementation(() => now() - HOUR_MS);
  try {
    await new Promise((resolve) => setTimeout(resolve, refused.retryAfterMs));
    expect(() => limiter.refuseExhausted(caller)).not.toThrow();
  } finally {
    vi.restoreAllMocks();
  }
});

test("a client that may send nothing is told so", async () => {
  expect(await take(createLimiter(away), callerOf(0), 1)).toMatchObject({ code: "limited" });
});
