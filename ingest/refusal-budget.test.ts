import { expect, test } from "vitest";

import { createRefusalBudget } from "./refusal-budget.ts";

const MIB = 1024 * 1024;

test("who overdraws waits until what is too much is forgiven, and nobody else does", () => {
  let nowMs = 0;
  const budget = createRefusalBudget(() => nowMs);
  budget.charge("bad", 5 * MIB);
  expect(() => budget.check("bad")).not.toThrow();
  budget.charge("bad", 5 * MIB);
  expect(() => budget.check("bad")).toThrow(expect.objectContaining({ code: "limited", retryAfterMs: 1_000 }));
  expect(() => budget.check("good")).not.toThrow();
  nowMs = 1_000;
  expect(() => budget.check("bad")).not.toThrow();
});

test("a little now and then is never too much", () => {
  let nowMs = 0;
  const budget = createRefusalBudget(() => nowMs);
  for (let i = 0; i < 1_000; i++, nowMs += 100) {
    expect(() => budget.check("careless")).not.toThrow();
    budget.charge("careless", MIB / 10);
  }
});
