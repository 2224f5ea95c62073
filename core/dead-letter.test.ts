import { describe, expect, test } from "vitest";

import { explainKind, kindOf, readEventType, reEntryOf } from "./dead-letter.ts";
import { type LetterPayload, mendLetter } from "./dead-letter-event.ts";

const EVENT = {
  event_id: "11111111-1111-4111-8111-111111111111",
  timestamp: "2026-11-21T10:00:00Z",
  client_id: "demo",
  session_id: "s",
  event_type: "purchase",
  props: { total: 12 },
};
const letterOf = (payload: unknown, more: Partial<LetterPayload> = {}): LetterPayload => ({
  id: "22222222-2222-4222-8222-222222222222",
  client_id: "demo",
  enrichment: null,
  payload: Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload)),
  ...more,
});

test.each([
  ["not an event", "poison"],
  ["TypeError: Cannot read properties of undefined", "poison"],
  ["invalid input syntax for type json (22P02)", "poison"],
  ["unavailable: the user store does not answer", "outage"],
  ["Error: connect ECONNREFUSED 127.0.0.1:5432", "outage"],
  ["the database is shutting down (57P01)", "outage"],
  ["could not serialize access (40001)", "outage"],
  ["ProvisionedThroughputExceededException: slow down", "outage"],
])("%s: %s", (reason, kind) => expect(kindOf(reason)).toBe(kind));

test.each([
  ["not an event", 0, "The reason names nothing that passes by itself: patch the event, then replay it."],
  ["terminating (57P01)", 0, "57P01 passes by itself: replay it as it is once that is over."],
  [
    "connect ECONNREFUSED",
    2,
    expect.stringMatching(/^ECONNREFUSED passes .* 2 came back from a replay: if it is over/),
  ],
])("people are told why: %s, %i back", (reason, cameBack, why) =>
  expect(explainKind({ reason, cameBack })).toEqual(why),
);

test.each([
  ["decode", { stream: "events", consumer: "enrich" }],
  ["sessionize", { stream: "events", consumer: "enrich" }],
  ["automation", { stream: "enriched", consumer: "automation" }],
  ["lake", "lake"],
  ["counters", null],
])("letters of %s go back to %j", (stage, entry) => expect(reEntryOf(stage)).toEqual(entry));

test.each([
  ['{"event_type":"purchase"}', "purchase"],
  ['{"event_type":"purchase","client_id":"a"}\n{"event_type":1}', "purchase"],
  ['{"event_type":7}', null],
  ["no JSON", null],
  ["null", null],
])("%s is of type %s", (payload, type) => expect(readEventType(Buffer.from(payload))).toBe(type));

describe("a letter", () => {
  test("that is an event goes back byte for byte", () => {
    const payload = Buffer.from(`{"note" : 12345678901234567890, ${JSON.stringify(EVENT).slice(1)}`);
    expect(mendLetter(letterOf(payload), null)).toMatchObject({ changed: [], faults: [], ready: { raw: payload } });
  });

  test("is mended, and says what was changed", () => {
    const mended = mendLetter(letterOf({ ...EVENT, timestamp: 1_763_719_200, props: { total: "12" } }), [
      { op: "coerce", path: "/timestamp", to: "timestamp" },
      { op: "coerce", path: "/props/total", to: "number" },
    ]);
    expect(mended).toMatchObject({ changed: ["/timestamp", "/props/total"], faults: [] });
    expect(JSON.parse(String(mended.ready?.raw))).toEqual({ ...EVENT, timestamp: "2025-11-21T10:00:00.000Z" });
  });

  test.each<[string, LetterPayload, object]>([
    ["bytes that are no text", letterOf(Buffer.from([0xff])), { path: "", reason: "is not UTF-8" }],
    ["text that is no JSON", letterOf(Buffer.from("{")), { path: "", reason: "is not JSON" }],
    ["no event", letterOf({ ...EVENT, timestamp: "yesterday" }), { path: "/timestamp" }],
    ["another client's", letterOf({ ...EVENT, client_id: "other" }), { path: "/client_id" }],
    ["a prototype's key", letterOf(Buffer.from('{"__proto__":{}}')), { path: "/__proto__" }],
    ["one that nests without end", letterOf(Buffer.from(`${"[".repeat(1e5)}${"]".repeat(1e5)}`)), { path: "" }],
    ["one that is too large", letterOf({ ...EVENT, props: { x: "x".repeat(300_000) } }), { path: "" }],
  ])("stays where it is: %s", (_, letter, fault) => {
    expect(mendLetter(letter, null)).toMatchObject({ ready: null, faults: [fault] });
  });

  test("is not written anew where that loses digits", () => {
    const payload = Buffer.from(`{"order":12345678901234567890,${JSON.stringify(EVENT).slice(1)}`);
    const mended = mendLetter(letterOf(payload), [{ op: "set", path: "/props/total", value: 1 }]);
    expect(mended).toMatchObject({ ready: null, faults: [{ path: "/order" }] });
  });

  test("cannot become a letter of another client", () => {
    const mended = mendLetter(letterOf(EVENT), [{ op: "set", path: "/client_id", value: "other" }]);
    expect(mended).toMatchObject({ ready: null, faults: [{ path: "/client_id" }] });
  });

  test("that was enriched keeps what it was enriched under", () => {
    const letter = letterOf(EVENT, { enrichment: {} as never });
    const patch = [{ op: "set" as const, path: "/user_id", value: "u" }];
    expect(mendLetter(letter, patch)).toMatchObject({ ready: null, faults: [{ path: "/user_id" }] });
    expect(mendLetter(letter, [{ op: "set", path: "/props/total", value: 1 }])).toMatchObject({ faults: [] });
  });

  describe("that was enriched from bytes that are no text", () => {
    const [before = "", after = ""] = JSON.stringify({ ...EVENT, props: { term: "caf?", total: 1 } }).split("?");
    const payload = Buffer.concat([Buffer.from(before), Buffer.from([0xe9]), Buffer.from(after)]);
    const letter = letterOf(payload, { enrichment: {} as never });

    test("is shown as it was read, and stays as long as nothing is changed", () => {
      expect(mendLetter(letter, null)).toMatchObject({
        before: { props: { term: "caf\uFFFD" } },
        changed: [],
        ready: null,
        faults: [{ reason: "is not UTF-8" }],
      });
    });

    test("is whole text once it is patched", () => {
      const mended = mendLetter(letter, [{ op: "set", path: "/props/term", value: "café" }]);
      expect(mended).toMatchObject({ changed: ["/props/term"], faults: [] });
      expect(JSON.parse(String(mended.ready?.raw))).toEqual({ ...EVENT, props: { term: "café", total: 1 } });
    });
  });

  test("of which nothing can be read may be written anew as the event that was enriched, and as no other", () => {
    const { event_id, event_type, timestamp, session_id } = EVENT;
    const enrichment = { event_id, event_type, timestamp, session_id, person: { user_id: null, anon_id: null } };
    const letter = letterOf(Buffer.from("{nonsense"), { enrichment: enrichment as never });
    const write = (value: Record<string, unknown>) =>
      mendLetter(letter, [{ op: "set" as const, path: "", value: value as never }]);
    expect(write({ ...EVENT, props: {} })).toMatchObject({ faults: [] });
    const another = "33333333-3333-4333-8333-333333333333";
    expect(write({ ...EVENT, event_id: another })).toMatchObject({ ready: null, faults: [{ path: "/event_id" }] });
  });
});
