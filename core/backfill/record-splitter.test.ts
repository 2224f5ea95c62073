import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readCsvFields } from "./csv-fields.ts";
import { createRecordSplitter, FILE_START, type FilePosition, type RawRecord } from "./record-splitter.ts";

const CSV = { quoting: { quote: 0x22, delimiter: 0x2c } };
const bytesOf = (text: string) => new TextEncoder().encode(text);

function splitAll(text: string, options: object = CSV, pieceBytes = 1_000, from: FilePosition = FILE_START) {
  const splitter = createRecordSplitter(from, options);
  const bytes = bytesOf(text).subarray(from.offset);
  const records: RawRecord[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    records.push(...splitter.push(bytes.subarray(at, at + pieceBytes)));
  return [...records, ...splitter.end()].map(show);
}

function show({ line, next, bytes, fault }: RawRecord) {
  return { line, next, text: bytes === null ? null : new TextDecoder().decode(bytes), ...(fault && { fault }) };
}

const texts = (text: string, options?: object) => splitAll(text, options).map((record) => record.text);

describe("records", () => {
  it("are lines, with either line break, with or without one at the end; blank lines are none", () => {
    expect(texts("a\nb\r\n\n  \r\nc")).toEqual(["a", "b", "c"]);
    expect(texts("a\n")).toEqual(["a"]);
    expect(texts("")).toEqual([]);
  });

  it("know their line and where the next one begins", () => {
    expect(splitAll('a\n"b\nb"\nc\n')).toEqual([
      { line: 1, next: { offset: 2, line: 2 }, text: "a" },
      { line: 2, next: { offset: 8, line: 4 }, text: '"b\nb"' },
      { line: 4, next: { offset: 10, line: 5 }, text: "c" },
    ]);
  });

  it("may end with a quoted field, also at the very end", () => {
    expect(texts('a,"b\nc"')).toEqual(['a,"b\nc"']);
    expect(texts('a,"b""\n""c"\nd')).toEqual(['a,"b""\n""c"', "d"]);
  });

  it("a quote within a field is an inch, and opens nothing", () =>
    expect(texts('5" pipe,1\nb')).toEqual(['5" pipe,1', "b"]));

  it("a quote that is never closed costs its own line only", () => {
    const records = splitAll('a\n"b,1\nc\nd\n');
    expect(records.map(({ text }) => text)).toEqual(["a", null, "c", "d"]);
    expect(records[1]).toMatchObject({ line: 2, fault: "a quoted field that is not closed" });
  });

  it("one that is too long is named and passed over, however it comes", () => {
    for (const pieceBytes of [3, 7, 1_000]) {
      const records = splitAll(`a\n${"x".repeat(50)}\nb\n${"y".repeat(50)}`, { ...CSV, maxBytes: 10 }, pieceBytes);
      expect(records.map(({ line, text }) => [line, text])).toEqual([
        [1, "a"],
        [2, null],
        [3, "b"],
        [4, null],
      ]);
      expect(records[1]).toMatchObject({ fault: "longer than 10 bytes", next: { offset: 53, line: 3 } });
    }
  });

  it("without quoting a quote is a character", () => expect(texts('"a\nb"', {})).toEqual(['"a', 'b"']));
});

const text = fc
  .array(fc.constantFrom("a", "é", '"', '""', ",", "\n", "\r\n", " ", '"x\ny"'), { maxLength: 60 })
  .map((parts) => parts.join(""));

describe("whatever the file", () => {
  it("the pieces it comes in change nothing", () =>
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 4, max: 40 }),
        (file, pieceBytes, maxBytes) => {
          expect(splitAll(file, { ...CSV, maxBytes }, pieceBytes)).toEqual(splitAll(file, { ...CSV, maxBytes }));
        },
      ),
      { numRuns: 2_000 },
    ));

  it("going on after any record gives the rest", () =>
    fc.assert(
      fc.property(text, (file) => {
        const all = splitAll(file, { ...CSV, maxBytes: 20 });
        for (const [i, { next }] of all.entries()) {
          expect(splitAll(file, { ...CSV, maxBytes: 20 }, 1_000, next)).toEqual(all.slice(i + 1));
        }
      }),
      { numRuns: 500 },
    ));

  it("fields that were written are read", () =>
    fc.assert(
      fc.property(fc.array(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), { maxLength: 5 }), (rows) => {
        const written = rows.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(","));
        const read = texts(written.map((line) => `${line}\n`).join("")).map((record) =>
          readCsvFields(record ?? "", { delimiter: ",", quote: '"' }),
        );
        expect(read).toEqual(rows.map((row) => row.map((field) => new TextDecoder().decode(bytesOf(field)))));
      }),
    ));
});

describe("fields", () => {
  const style = { delimiter: ";", quote: '"' };
  it.each([
    ["a;b;", ["a", "b", ""]],
    ['"a;b";c', ["a;b", "c"]],
    ['"a""b"', ['a"b']],
    ['5" pipe;1', ['5" pipe', "1"]],
    ['""', [""]],
    ['"a"b;c', "field 1 goes on after its closing quote"],
    ['a;"b', "a quoted field that is not closed"],
  ])("%s", (record, fields) => expect(readCsvFields(record, style)).toEqual(fields));
});
