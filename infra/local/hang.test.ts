import { describe, expect, it } from "vitest";

import { hasHung, type Patience } from "./hang.ts";

const patience: Patience = { checks: 3, answerWithinMs: 5, pauseMs: 1 };
const never = new AbortController().signal;

/** Answers by the script, and is silent from its end on. */
function part(script: readonly (() => Promise<unknown>)[]) {
  const asked = { times: 0 };
  const ask = () => (script[asked.times++] ?? silent)();
  return { asked, ask };
}
const fine = async () => true;
const refuses = async () => false;
const fails = async () => Promise.reject(new Error("connection refused"));
const silent = () => new Promise<never>(() => {});

describe("a part that is silent", () => {
  it("is given up after so many checks in a row, whether they fail or are never settled", async () => {
    const { ask, asked } = part([fails, silent, fails]);
    expect(await hasHung(ask, patience, never)).toBe(true);
    expect(asked.times).toBe(3);
  });

  it("is forgiven at every sign of life: slow is not hung", async () => {
    const { ask, asked } = part([fails, silent, fine, silent, silent, refuses, fails, silent]);
    expect(await hasHung(ask, patience, never)).toBe(true);
    expect(asked.times).toBe(9);
  });

  it("is let go once nobody watches any more", async () => {
    const watching = new AbortController();
    const { ask } = part([async () => watching.abort()]);
    expect(await hasHung(ask, patience, watching.signal)).toBe(false);
  });
});
