import { describe, expect, it } from "vitest";

import { parseMapping } from "./backfill-mapping.ts";
import type { AppError } from "./errors.ts";

const EVENT = { event_type: "order", timestamp: { column: "at" }, user_id: { column: "who" } };

function faultsOf(mapping: unknown): string[] {
  try {
    parseMapping(mapping, "/mapping");
    return [];
  } catch (error) {
    return (error as AppError).faults.map(({ path, reason }) => `${path}: ${reason}`);
  }
}

describe("a mapping", () => {
  it("says the least that it takes", () => {
    const { format, event } = parseMapping({ format: { type: "csv" }, event: EVENT });
    expect(format).toMatchObject({ header: true, delimiter: ",", quote: '"', encoding: "utf-8", nulls: [] });
    expect(event.timestamp).toEqual({ type: "timestamp", column: "at" });
    expect(faultsOf({ format: { type: "jsonl" }, as_is: true })).toEqual([]);
  });

  const csv = (more: object, format: object = {}) => ({
    format: { type: "csv", ...format },
    event: { ...EVENT, ...more },
  });
  it.each<[string, unknown, RegExp]>([
    ["no format", { event: EVENT }, /^\/mapping\/format: one of csv, whitespace, jsonl, parquet$/],
    ["a format that nobody knows", { format: { type: "xls" }, event: EVENT }, /^\/mapping\/format\/type: one of csv/],
    ["no header and no columns", csv({}, { header: false }), /^\/mapping\/format\/columns: required where there is no/],
    ["a column twice", csv({}, { columns: ["at", "at"] }), /^\/mapping\/format\/columns: names a column twice$/],
    [
      "a column that is not there",
      csv({}, { columns: ["at", "whom"] }),
      /user_id\/column: there is no column "who"; there are at, whom$/,
    ],
    ["a typing error", csv({ anon_id: { colum: "x" } }), /^\/mapping\/event\/anon_id: Unrecognized key: "colum"$/],
    [
      "two ways at once",
      csv({ anon_id: { column: "x", template: "y" } }),
      /anon_id: needs one of column, pointer and template$/,
    ],
    [
      "a time without a zone",
      csv({ timestamp: { column: "at", format: "YYYYMMDD" } }),
      /timestamp\/time_zone: required: the format says no zone/,
    ],
    ["a zone that nobody knows", csv({ timestamp: { column: "at", time_zone: "Mars" } }), /time_zone: not a time zone/],
    [
      "a pattern that is none",
      csv({ timestamp: { column: "at", format: "YYYY", time_zone: "UTC" } }),
      /format: must have year, month and day$/,
    ],
    [
      "a time of day twice",
      csv({ timestamp: { column: "at", format: "YYYYMMDDHH", time_zone: "UTC", time: "12:00" } }),
      /timestamp\/time: the format has a time of its own$/,
    ],
    [
      "a locale that is none",
      csv({ props: { a: { column: "x", type: "decimal", locale: "?" } } }),
      /props\/a\/locale: not a locale/,
    ],
    [
      "a locale of a text",
      csv({ props: { a: { column: "x", locale: "de-DE" } } }),
      /props\/a\/locale: only with the type integer or decimal$/,
    ],
    ["a pointer into CSV", csv({ anon_id: { pointer: "/a/b" } }), /anon_id\/pointer: only with the format jsonl/],
    [
      "nobody",
      { format: { type: "csv" }, event: { ...EVENT, user_id: undefined } },
      /^\/mapping\/event: needs one of user_id, anon_id and session_id$/,
    ],
    ["nothing to derive an id from", csv({ event_id: { derive_from: [] } }), /event_id\/derive_from: /],
    [
      "events as they are, out of CSV",
      { format: { type: "csv" }, as_is: true, event: EVENT },
      /^\/mapping\/as_is: only with the format jsonl$/,
    ],
    ["no mapping at all", null, /^\/mapping: /],
  ])("%s: the place is named, and why", (_, mapping, fault) =>
    expect(faultsOf(mapping)).toEqual(expect.arrayContaining([expect.stringMatching(fault)])),
  );
});
