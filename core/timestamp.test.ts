import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { parseTimestamp } from "./timestamp.ts";

const schema = z.iso.datetime({ offset: true });
const two = fc.integer({ min: 0, max: 99 }).map((n) => String(n).padStart(2, "0"));
const near = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, "0"));
const zone = fc.oneof(
  fc.constant("Z"),
  fc.tuple(fc.constantFrom("+", "-"), near(25), near(61)).map(([s, h, m]) => `${s}${h}:${m}`),
);
const fraction = fc.oneof(fc.constant(""), fc.stringMatching(/^\.\d{1,12}$/), fc.constant("."));
/** Mostly right, now and then a little wrong. */
const almost = fc
  .record({
    year: fc.tuple(two, two),
    month: near(13),
    day: near(32),
    hour: near(25),
    minute: near(61),
    second: near(61),
    fraction,
    zone,
  })
  .map((t) => `${t.year.join("")}-${t.month}-${t.day}T${t.hour}:${t.minute}:${t.second}${t.fraction}${t.zone}`);
const mangled = fc
  .tuple(almost, fc.nat({ max: 30 }), fc.constantFrom("", "a", "-", ":", " ", "9", "é", "Z", "\n"))
  .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + 1));

test("accepts exactly what the schema accepts", () => {
  fc.assert(
    fc.property(fc.oneof(almost, mangled, fc.string()), (text) => {
      expect(!Number.isNaN(parseTimestamp(text))).toBe(schema.safeParse(text).success);
    }),
    { numRuns: 5_000 },
  );
});

test("means what Date means", () => {
  fc.assert(
    fc.property(almost, (text) => {
      // V8 misreads fractions of ten digits and more that begin with zeros.
      fc.pre(schema.safeParse(text).success && !/\.\d{9}/.test(text));
      expect(parseTimestamp(text)).toBe(Date.parse(text));
    }),
    { numRuns: 5_000 },
  );
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true, min: new Date("0001-01-01"), max: new Date("9999-12-31") }), (date) => {
      expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
    }),
  );
});

test.each([
  "2026-02-29T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "1900-02-29T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01T00:00Z",
])("%s is no time", (text) => {
  expect(parseTimestamp(text)).toBeNaN();
});
