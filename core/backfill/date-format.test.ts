import { describe, expect, it } from "vitest";

import { HOUR_MS } from "../time.ts";
import { fromZone, isTimeZone } from "../zoned-time.ts";
import { compileDateFormat, createTimeReader } from "./date-format.ts";

function read(text: string, format: string, zone?: string, time?: string): string {
  const found = createTimeReader(format, zone, time)(text);
  return typeof found === "number" ? new Date(found).toISOString() : found;
}

describe("times", () => {
  it.each([
    ["19970101", "YYYYMMDD", "UTC", "12:00", "1997-01-01T12:00:00.000Z"],
    ["19970101", "YYYYMMDD", "Asia/Kolkata", undefined, "1996-12-31T18:30:00.000Z"],
    ["31.12.2023 23:05", "DD.MM.YYYY HH:mm", "Europe/Berlin", undefined, "2023-12-31T22:05:00.000Z"],
    ["3/4/2024 1:02:03 pm", "M/D/YYYY h:mm:ss A", "America/New_York", undefined, "2024-03-04T18:02:03.000Z"],
    ["05-Jan-2024 00:00", "DD-MMM-YYYY HH:mm", "UTC", undefined, "2024-01-05T00:00:00.000Z"],
    ["2024-01-05T10:00:00.123456+0530", "YYYY-MM-DD'T'HH:mm:ss.SSSZ", undefined, undefined, "2024-01-05T04:30:00.123Z"],
    ["2024-01-05T10:00:00Z", "iso", "Europe/Berlin", undefined, "2024-01-05T10:00:00.000Z"],
    ["2024-01-05 10:00:00.5+01", "iso", undefined, undefined, "2024-01-05T09:00:00.500Z"],
    ["2024-01-05", "iso", "UTC", "12:00", "2024-01-05T12:00:00.000Z"],
    ["1704448800", "epoch_s", undefined, undefined, "2024-01-05T10:00:00.000Z"],
    ["1704448800123", "epoch_ms", undefined, undefined, "2024-01-05T10:00:00.123Z"],
  ])("%s as %s in %s", (text, format, zone, time, expected) => expect(read(text, format, zone, time)).toBe(expected));

  it.each([
    ["1997-01-01", "YYYYMMDD", "UTC", "not a time in the format YYYYMMDD"],
    ["19970231", "YYYYMMDD", "UTC", "not a day and time of the calendar"],
    ["13:00 pm 01.01.2024", "hh:mm A DD.MM.YYYY", "UTC", "not a day and time of the calendar"],
    ["2024-01-05T10:00:00", "iso", undefined, "a time without a zone, and the mapping has none (time_zone)"],
    ["yesterday", "iso", "UTC", "not an ISO 8601 time"],
    ["2024-02-30", "iso", "UTC", "not a day and time of the calendar"],
    ["2024-03-31 02:30", "iso", "Europe/Berlin", "a time that the clocks of Europe/Berlin leap over"],
    ["17e8", "epoch_s", undefined, "not a number of the epoch"],
    ["", "epoch_ms", undefined, "not a number of the epoch"],
  ])("%s as %s in %s is refused: %s", (text, format, zone, reason) => expect(read(text, format, zone)).toBe(reason));

  it.each([
    ["YYYY-MM", "must have year, month and day"],
    ["YYYY-MM-DD MM", "names something twice"],
    ["YYYY-MM-DD'T", "has a quote that is not closed"],
    ["YYYY-MM-DD GG", '"GG" is none of'],
    ["YYYY-MM-DDTHH", '"T" is none of'],
  ])("the format %s is refused", (format, reason) =>
    expect(compileDateFormat(format)).toEqual(expect.stringContaining(reason)),
  );
});

describe("clocks", () => {
  it("that show the same twice mean the first", () =>
    expect(read("2024-10-27 02:30", "iso", "Europe/Berlin")).toBe("2024-10-27T00:30:00.000Z"));

  it("go and come back in every hour of a year, but where they leap", () => {
    for (const zone of ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"]) {
      const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
      for (let ms = Date.UTC(2011, 0, 1); ms < Date.UTC(2012, 0, 2); ms += 3 * HOUR_MS) {
        const local = Date.parse(`${format.format(ms).replace(" ", "T")}Z`);
        expect(format.format(fromZone(local, zone))).toBe(format.format(ms));
      }
    }
  });

  it("are those of zones that there are", () => {
    expect(isTimeZone("Europe/Berlin")).toBe(true);
    expect(isTimeZone("Europe/Nowhere")).toBe(false);
  });
});
