import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { formatCsvLine } from "./csv.ts";

/** As RFC 4180 has it. */
function readLine(line: string): string[] {
  const cells: string[] = [];
  let rest = `${line.slice(0, -2)},`;
  while (rest !== "") {
    const [all, quoted, plain] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*)),/.exec(rest)!;
    cells.push(quoted?.replaceAll('""', '"') ?? plain!);
    rest = rest.slice(all.length);
  }
  return cells;
}

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc
    .array(fc.constantFrom('"', ",", "\r", "\n", "=", "+", "-", "@", "\t", "a", "1", " "))
    .map((parts) => parts.join("")),
);

test("what is written is read again, an apostrophe before what begins like a formula", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (cells) => {
      const line = formatCsvLine(cells);
      expect(line.endsWith("\r\n")).toBe(true);
      const read = readLine(line);
      expect(read.length).toBe(cells.length);
      for (const [nth, cell] of cells.entries()) expect([cell, `'${cell}`]).toContain(read[nth]);
    }),
  );
});

test("no cell that is text begins a formula, unless it is a number", () => {
  fc.assert(
    fc.property(fc.constantFrom("", "=", "+", "-", "@", "\t", "\r"), text, (sign, rest) => {
      const [read] = readLine(formatCsvLine([sign + rest]));
      expect(/^[=+\-@\t\r\n]/.test(read!) && !/^[+-]?\d+(\.\d+)?$/.test(read!)).toBe(false);
    }),
  );
});

describe("cells", () => {
  test.each([
    [[1, -5, 0.25, -1e-7], "1,-5,0.25,-1e-7\r\n"],
    [[true, null, undefined, ""], "true,,,\r\n"],
    [["-5", "+919812345678", "-1.50"], "-5,+919812345678,-1.50\r\n"],
    [["=1+1", "@SUM(A1)", "-2+3", "+cmd|' /C calc'!A0"], "'=1+1,'@SUM(A1),'-2+3,'+cmd|' /C calc'!A0\r\n"],
    [["\t=1", "\r=1", "\n=1"], `'\t=1,"'\r=1","'\n=1"\r\n`],
    [["a,b", 'a"b', "a\nb", " a "], '"a,b","a""b","a\nb", a \r\n'],
  ])("%j", (cells, line) => {
    expect(formatCsvLine(cells)).toBe(line);
  });
});
