import * as fc from "fast-check";
import { expect, test } from "vitest";

import { eventTimeMs } from "./event-check.ts";
import { eventSchema } from "./event.ts";
import { parseTimestamp } from "./timestamp.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.constantFrom(
    "",
    "a\u0000",
    "\ud800",
    "\u0085",
    "ключ",
    "x".repeat(128),
    "x".repeat(129),
    "x".repeat(256),
    "x".repeat(257),
  ),
);
const id = fc.oneof({ weight: 30, arbitrary: fc.string({ minLength: 1 }) }, anyText);
const maybe = fc.oneof({ weight: 20, arbitrary: id }, fc.constant(null), fc.jsonValue());
const object = fc.oneof(
  { weight: 4, arbitrary: fc.dictionary(fc.string(), fc.jsonValue()) },
  fc.constant(null),
  fc.jsonValue(),
);
const timestamp = fc.oneof(
  {
    weight: 30,
    arbitrary: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31") })
      .map((date) => date.toISOString()),
  },
  fc.constantFrom(
    "2026-02-30T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00+00:01",
    "2026-01-01",
    "1969-12-31T23:59:59Z",
  ),
  fc.jsonValue(),
);
const eventId = fc.oneof(
  { weight: 9, arbitrary: fc.uuid() },
  fc.constantFrom("nope", "{}"),
  fc.uuid().map((uuid) => `${uuid} `),
);

/** An event with, now and then, something missing or wrong. */
const almost = fc.record(
  {
    event_id: eventId,
    timestamp,
    client_id: id,
    user_id: maybe,
    anon_id: maybe,
    session_id: maybe,
    event_type: id,
    props: object,
    context: object,
    extra: fc.jsonValue(),
  },
  { requiredKeys: ["event_id", "timestamp", "client_id", "event_type"] },
);

test("tells the time exactly of what the schema accepts", () => {
  const said = { yes: 0, no: 0 };
  fc.assert(
    fc.property(fc.oneof({ weight: 20, arbitrary: almost }, fc.jsonValue()), (value) => {
      // What the edge checks is what JSON.parse made.
      const parsed: unknown = JSON.parse(JSON.stringify(value));
      const isValid = eventSchema.safeParse(parsed).success;
      said[isValid ? "yes" : "no"]++;
      const { timestamp } = (parsed ?? {}) as { timestamp?: unknown };
      expect(eventTimeMs(parsed)).toBe(isValid ? parseTimestamp(String(timestamp)) : Number.NaN);
    }),
    { numRuns: 5_000 },
  );
  expect(Math.min(said.yes, said.no)).toBeGreaterThan(500);
});

test("the schema names every fault at once", () => {
  const issues = eventSchema.safeParse({ event_id: 1, client_id: "a" }).error?.issues ?? [];
  const paths = issues.map((issue) => issue.path.join("/"));
  expect(paths.toSorted()).toEqual(["event_id", "event_type", "session_id", "timestamp"]);
});
