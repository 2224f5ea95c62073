import { expect, test } from "vitest";

import { toDays } from "./days.ts";

const NOW = Date.parse("2026-11-21T20:15:00Z");
const read = (start: string, end: string, zone = "Asia/Kolkata") => {
  try {
    const days = toDays({ start, end }, zone, NOW);
    return `${days.start} ${days.end}`;
  } catch (error) {
    const [fault] = (error as { faults: { path: string; reason: string }[] }).faults;
    return `${fault!.path} ${fault!.reason}`;
  }
};

test.each([
  ["2026-11-20", "2026-11-21", "2026-11-20 2026-11-21"],
  ["2026-11-19T18:30:00Z", "2026-11-21T00:00:00+05:30", "2026-11-20 2026-11-21"],
  // Now, by whoever's clock, and some time to come: the day that it lies in counts as far as it has come.
  ["2026-11-20", "2026-11-21T20:12:00Z", "2026-11-20 2026-11-23"],
  ["2026-11-20", "2026-12-01T10:00:00Z", "2026-11-20 2026-12-02"],
  [
    "2026-11-20",
    "2026-11-21T10:00:00Z",
    "/end must be the beginning of a day in Asia/Kolkata: these figures are by day",
  ],
  [
    "2026-11-20T00:00:00Z",
    "2026-11-21",
    "/start must be the beginning of a day in Asia/Kolkata: these figures are by day",
  ],
  ["2026-11-21", "2026-11-21", "/end must be after start"],
  ["2026-11-21", "2026-11-20", "/end must be after start"],
  ["2020-01-01", "2026-11-20", "/end must be at most 400 days after start"],
  ["0000-01-01", "0000-01-02", "/start must be from 1970-01-01 on, and before 2200-01-01"],
  ["2026-01-01", "9999-12-31T23:59:59-14:00", "/end must be from 1970-01-01 on, and before 2200-01-01"],
])("from %s to %s: %s", (start, end, expected) => {
  expect(read(start, end)).toBe(expected);
});

test("a day that begins at one o'clock, and one in UTC", () => {
  expect(read("2025-09-07T04:00:00Z", "2025-09-08", "America/Santiago")).toBe("2025-09-07 2025-09-08");
  expect(read("2026-11-20T00:00:00Z", "2026-11-21T00:00:00.000Z", "UTC")).toBe("2026-11-20 2026-11-21");
});
