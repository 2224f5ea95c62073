import * as fc from "fast-check";
import { expect, it } from "vitest";

import { dayIn, startOfNextDay } from "./calendar-day.ts";

const at = (iso: string) => Date.parse(iso);

it("names the day where the client is", () => {
  expect(dayIn("Asia/Kolkata", at("2026-11-21T19:00:00Z"))).toBe("2026-11-22");
  expect(dayIn("America/New_York", at("2026-11-21T03:00:00Z"))).toBe("2026-11-20");
});

it("finds midnight, also on the day that the clocks change", () => {
  expect(startOfNextDay("Asia/Kolkata", at("2026-11-21T10:00:00Z"))).toBe(at("2026-11-21T18:30:00Z"));
  expect(startOfNextDay("Europe/Berlin", at("2026-10-25T10:00:00Z"))).toBe(at("2026-10-25T23:00:00Z"));
});

it("takes a zone that nobody knows for UTC", () => {
  expect(startOfNextDay("Mars/Olympus", at("2026-11-21T10:00:00Z"))).toBe(at("2026-11-22T00:00:00Z"));
});

it("answers the very first millisecond of the day after", () => {
  const zones = fc.constantFrom("UTC", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo");
  fc.assert(
    fc.property(zones, fc.integer({ min: 0, max: at("2040-01-01T00:00:00Z") }), (zone, now) => {
      const next = startOfNextDay(zone, now);
      expect(dayIn(zone, next - 1)).toBe(dayIn(zone, now));
      expect(dayIn(zone, next)).not.toBe(dayIn(zone, now));
    }),
    { numRuns: 50 },
  );
});
