import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readableEvent, replaceLoneSurrogates } from "./json-text.ts";

const anyString = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    fc.constantFrom("\\", "u", "d800", '"', "\ud83d", "\ude00"),
  ),
});

/** All of it spelt with escapes, as some serialisers do. */
function escapeAll(text: string): string {
  return Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join(
    "",
  );
}

describe("replaceLoneSurrogates", () => {
  it("makes every JSON string well-formed and changes nothing else", () => {
    fc.assert(
      fc.property(anyString, fc.boolean(), (text, escaped) => {
        const json = escaped ? `"${escapeAll(text)}"` : JSON.stringify(text);
        expect(JSON.parse(replaceLoneSurrogates(json))).toBe(text.toWellFormed());
      }),
    );
  });

  it("keeps what only looks like one", () => {
    expect(replaceLoneSurrogates(String.raw`"\\ud800 \ud83d\uDE00 \uD800"`)).toBe(
      String.raw`"\\ud800 \ud83d\uDE00 \ufffd"`,
    );
  });
});

describe("readableEvent", () => {
  it("keeps the text where every key stands once", () => {
    const raw = '{ "user_id": "a", "props": {"x": 1.0} }';
    expect(readableEvent(raw)).toBe(raw);
  });

  it("takes the last of a key that is named twice, as the stream does", () => {
    expect(readableEvent('{"user_id":"a","user_id":"b"}')).toBe('{"user_id":"b"}');
  });
});
