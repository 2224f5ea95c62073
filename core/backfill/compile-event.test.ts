import { describe, expect, it } from "vitest";

import { parseMapping } from "../backfill-mapping.ts";
import { compileEvent } from "./compile-event.ts";
import { createRememberedUnder, LINES_TOGETHER } from "./remembered-under.ts";

const BASE = {
  event_type: "order",
  timestamp: { column: "at", format: "DD.MM.YYYY HH:mm", time_zone: "Europe/Berlin" },
  user_id: { column: "who" },
};
const FIELDS = { at: "31.12.2023 23:05", who: " 0017 ", total: "1.299,50", paid: "Yes", note: "" };

function make(event: object, { fields = FIELDS as Record<string, unknown>, line = 2, digest = "d1", more = {} } = {}) {
  const mapping = parseMapping({ format: { type: "csv" }, ...more, event });
  return compileEvent({ mapping, client_id: "demo", digest })({ line, fields });
}
const under = (event: object, more: object = {}, digest = "d1") =>
  createRememberedUnder(parseMapping({ format: { type: "csv" }, ...more, event }), digest);
const idOf = (made: ReturnType<typeof make>) => ("event" in made ? made.event["event_id"] : made.faults);

describe("a record becomes an event", () => {
  it("with every field converted, and blank ones left out", () => {
    const props = {
      order_id: { template: "{who}-{$line}" },
      revenue: { column: "total", type: "decimal", locale: "de-DE" },
      paid: { column: "paid", type: "boolean" },
      note: { column: "note" },
      currency: "EUR",
    };
    expect(make({ ...BASE, anon_id: { column: "note" }, props })).toEqual({
      event: {
        client_id: "demo",
        event_id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
        timestamp: "2023-12-31T22:05:00.000Z",
        event_type: "order",
        user_id: "0017",
        props: { order_id: "0017-2", revenue: 1299.5, paid: true, currency: "EUR" },
      },
    });
  });

  it("or says all that keeps it from that", () => {
    const props = {
      a: { column: "total", type: "integer" },
      b: { column: "note", required: true },
      c: { column: "who", type: "boolean" },
    };
    expect(make({ ...BASE, timestamp: { column: "note" }, props })).toEqual({
      faults: [
        { path: "/timestamp", reason: "is empty" },
        { path: "/props/a", reason: "not an integer" },
        { path: "/props/b", reason: "is empty" },
        { path: "/props/c", reason: "neither true nor false" },
      ],
    });
  });

  it("of JSON: as it is, with what the mapping replaces", () => {
    const more = { format: { type: "jsonl" }, as_is: true };
    const fields = {
      event_id: "x",
      timestamp: "2024-01-01T00:00:00Z",
      event_type: "old",
      props: { a: 1 },
      customer: { ids: [7] },
    };
    const event = { event_type: "new", user_id: { pointer: "/customer/ids/0" }, props: { b: true } };
    expect(make(event, { more, fields })).toEqual({
      event: { ...fields, client_id: "demo", event_type: "new", user_id: "7", props: { a: 1, b: true } },
    });
  });
});

describe("an event's id", () => {
  it("follows from client, file and line, or from the key that stands for the file", () => {
    const ids = [{}, { line: 3 }, { digest: "d2" }].map((more) => idOf(make(BASE, more)));
    expect(new Set(ids).size).toBe(3);
    expect(idOf(make(BASE))).toBe(ids[0]);
    const keyed = (digest: string) => idOf(make(BASE, { digest, more: { key: "shop-2023" } }));
    expect(keyed("d1")).toBe(keyed("d2"));
    expect(keyed("d1")).not.toBe(ids[0]);
  });

  it("follows from columns, wherever they stand", () => {
    const event = { ...BASE, event_id: { derive_from: ["who", "at"] } };
    expect(idOf(make(event, { line: 9, digest: "d2" }))).toBe(idOf(make(event)));
    const fields = { ...FIELDS, who: "18" };
    expect(idOf(make(event, { fields }))).not.toBe(idOf(make(event)));
    expect(idOf(make({ ...BASE, event_id: { derive_from: ["note"] } }))).toEqual([
      { path: "/event_id", reason: "a column that it is derived from is empty" },
    ]);
  });

  it("in a column must be one", () => {
    const event = { ...BASE, event_id: { column: "id" } };
    const id = "6D1F2F0E-6a0b-5c53-9d58-3b1e7a0c1f11";
    expect(idOf(make(event, { fields: { ...FIELDS, id } }))).toBe(id);
    expect(idOf(make(event, { fields: { ...FIELDS, id: "17" } }))).toEqual([
      { path: "/event_id", reason: "not a UUID: let the mapping derive one (derive_from)" },
    ]);
  });

  it("is remembered with those of its neighbours where only this file can bear it, else under its own time", () => {
    const [own, again, other] = [under(BASE)!, under(BASE)!, under(BASE, {}, "d2")!];
    expect(own(1)).toBe(again(LINES_TOGETHER - 1));
    expect(Date.parse(own(LINES_TOGETHER)) - Date.parse(own(1))).toBe(60_000);
    expect(other(1)).not.toBe(own(1));
    expect(under(BASE, { key: "k" }, "d1")!(1)).toBe(under(BASE, { key: "k" }, "d2")!(1));
    expect(under({ ...BASE, event_id: { column: "id" } })).toBeUndefined();
    expect(under({ ...BASE, event_id: { derive_from: ["who"] } })).toBeUndefined();
  });
});
