import { describe, expect, it } from "vitest";

import { formatDuration, parseDuration } from "./duration.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "./time.ts";

describe("parseDuration", () => {
  it.each([
    ["PT30M", 30 * MINUTE_MS],
    ["P7D", 7 * DAY_MS],
    ["P1W", 7 * DAY_MS],
    ["P1DT12H", 36 * HOUR_MS],
    ["PT1H30M15S", 90 * MINUTE_MS + 15_000],
    ["PT0S", 0],
  ])("reads %s", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(["", "P", "PT", "30M", "PT30", "P1DT", "P1M", "P1Y", "PT-5M", "-PT5M", "pt5m", "PT1.5H", "PT5M ", "PT5S3M"])(
    "refuses %j",
    (text) => expect(parseDuration(text)).toBeUndefined(),
  );
});

describe("formatDuration", () => {
  it.each(["PT30M", "P7D", "P1DT12H", "PT1H30M15S", "PT0S", "P90D"])("writes %s", (text) =>
    expect(formatDuration(parseDuration(text)!)).toBe(text),
  );
  it("writes weeks as days", () => expect(formatDuration(parseDuration("P2W")!)).toBe("P14D"));
});
