import * as fc from "fast-check";
import { expect, test } from "vitest";

import { sliceJson } from "./json-slices.ts";

const bytes = (text: string) => Buffer.from(text);
const events = (text: string) => {
  const body = bytes(text);
  const { form, bounds } = sliceJson(body);
  const found: unknown[] = [];
  for (let i = 0; i < bounds.length; i += 2) found.push(JSON.parse(body.subarray(bounds[i], bounds[i + 1]).toString()));
  return { form, found };
};

const space = fc.constantFrom("", " ", "\n", "\t\r\n ");
const value = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" }).map((json) => JSON.stringify(json));
/** A list as someone might write it, with white space anywhere between. */
const list = fc
  .array(fc.tuple(space, value, space), { maxLength: 6 })
  .map((parts) => `[${parts.map((part) => part.join("")).join(",")}${parts.length === 0 ? " " : ""}]`);
const key = fc.oneof(fc.string(), fc.constantFrom("events", "event_id", "sent_at", "e\u0076ents"));
const escaped = (text: string) =>
  [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");

test("a list: each element's bytes are that element", () => {
  fc.assert(
    fc.property(space, list, space, (before, text, after) => {
      expect(events(before + text + after)).toEqual({ form: "array", found: JSON.parse(text) });
    }),
    { numRuns: 500 },
  );
});

test("an object: the events under its last `events`, unless it is an event itself", () => {
  const entry = fc.tuple(
    fc.oneof(
      key.map((k) => JSON.stringify(k)),
      fc.constant(`"${escaped("events")}"`),
    ),
    fc.oneof(list, value),
  );
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), space, (entries, gap) => {
      const text = `{${gap}${entries.map(([k, v]) => `${k}${gap}:${gap}${v}`).join(`${gap},${gap}`)}${gap}}`;
      const parsed = JSON.parse(text) as Record<string, unknown>;
      const isWrapped = Array.isArray(parsed.events) && !Object.hasOwn(parsed, "event_id");
      const expected = isWrapped ? { form: "wrapped", found: parsed.events } : { form: "single", found: [parsed] };
      expect(events(text)).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

test("one value: its bytes without the space around", () => {
  fc.assert(
    fc.property(space, fc.dictionary(fc.string(), fc.jsonValue()), space, (before, object, after) => {
      fc.pre(!Array.isArray(object.events));
      const text = JSON.stringify(object);
      const body = bytes(before + text + after);
      expect(sliceJson(body).bounds).toEqual([before.length, before.length + bytes(text).length]);
    }),
  );
});

const depthOf = (json: unknown): number =>
  typeof json === "object" && json !== null ? 1 + Math.max(0, ...Object.values(json).map(depthOf)) : 0;

test("the depth is that of the deepest event", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 6 })), (list) => {
      expect(sliceJson(bytes(JSON.stringify(list))).depth).toBe(Math.max(0, ...list.map(depthOf)));
    }),
  );
});

test("any bytes at all come to an end, with bounds inside them", () => {
  const noise = fc
    .array(fc.constantFrom(...'[]{}",:\\ events1tnu\u0000é'), { maxLength: 60 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(noise, fc.string()), (text) => {
      const body = bytes(text);
      for (const bound of sliceJson(body).bounds) expect(bound).toBeLessThanOrEqual(body.length);
    }),
    { numRuns: 2_000 },
  );
});

test("stops one after the most it is to find", () => {
  expect(sliceJson(bytes("[1,2,3,4,5]"), 2).bounds).toHaveLength(6);
});
