import * as fc from "fast-check";
import { expect, test } from "vitest";

import { addToSession, type Session, type SessionStep } from "./session.ts";

const stepAt = (seconds: number, rest: Partial<SessionStep> = {}): SessionStep => ({
  session_id: "s-1",
  person_key: "anon:a",
  at: new Date(Date.UTC(2026, 10, 21, 10, 0, seconds)).toISOString(),
  page: null,
  source: null,
  is_bot: false,
  ...rest,
});

const fold = (steps: readonly SessionStep[]) =>
  steps.reduce<Session | undefined>((session, step) => addToSession(session, step), undefined);

test("start, end, duration, steps, landing page and source", () => {
  const session = fold([
    stepAt(0, { page: "/landing", source: "newsletter" }),
    stepAt(30, { page: "/cart", source: "google" }),
    stepAt(90, { person_key: "user:u" }),
  ]);
  expect(session).toEqual({
    session_id: "s-1",
    person_key: "user:u",
    started_at: "2026-11-21T10:00:00.000Z",
    ended_at: "2026-11-21T10:01:30.000Z",
    duration_ms: 90_000,
    steps: 3,
    landing_page: "/landing",
    source: "newsletter",
    is_bot: false,
  });
});

test("an event that comes late, but happened first, is where the session began", () => {
  const session = fold([stepAt(30, { page: "/cart" }), stepAt(10, { page: "/landing", source: "google" })]);
  expect(session).toMatchObject({ landing_page: "/landing", source: "google", steps: 2, duration_ms: 20_000 });
});

test("times and counts do not depend on the order in which events come", () => {
  const steps = fc.array(fc.integer({ min: 0, max: 86_400 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(steps, fc.nat(), (seconds, seed) => {
      const inOrder = fold(seconds.map((second) => stepAt(second)));
      const shuffled = seconds.toSorted((a, b) => ((a * 7919 + seed) % 97) - ((b * 7919 + seed) % 97));
      expect(fold(shuffled.map((second) => stepAt(second)))).toEqual(inOrder);
      expect(inOrder?.duration_ms).toBe((Math.max(...seconds) - Math.min(...seconds)) * 1000);
    }),
  );
});
