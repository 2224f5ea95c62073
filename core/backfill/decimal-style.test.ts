import { describe, expect, it } from "vitest";

import { decimalStyleOf, exactNumber, PLAIN_DECIMALS, readDecimal } from "./decimal-style.ts";

describe("decimals", () => {
  it.each([
    ["1.234,50", "de-DE", "1234.50"],
    ["-1.234.567,5", "de-DE", "-1234567.5"],
    ["1,234.50", "en-US", "1234.50"],
    ["12,34,567.8", "en-IN", "1234567.8"],
    ["1 234,5", "fr-FR", "1234.5"],
    ["+007", "en-US", "7"],
    ["1234,5", "de-DE", "1234.5"],
  ])("%s in %s", (text, locale, plain) => expect(readDecimal(text, decimalStyleOf(locale)!)).toBe(plain));

  it.each([
    ["12.34", "de-DE"],
    ["1,5", "en-US"],
    ["1.2.3", "en-US"],
    ["1,234,5", "de-DE"],
    ["€ 5", "de-DE"],
    ["1e3", "en-US"],
    ["", "en-US"],
    [".5", "en-US"],
    ["0x10", "en-US"],
  ])("%s in %s is none", (text, locale) => expect(readDecimal(text, decimalStyleOf(locale)!)).toBeNull());

  it("plain ones have a point and no groups", () => {
    expect(readDecimal("11.77", PLAIN_DECIMALS)).toBe("11.77");
    expect(readDecimal("1,234", PLAIN_DECIMALS)).toBeNull();
  });

  it("a locale that nobody knows has no style", () => expect(decimalStyleOf("not a locale")).toBeNull());

  it("as JSON numbers keep every digit, or are none", () => {
    expect(exactNumber("11.770")).toBe(11.77);
    expect(exactNumber("-0.0")).toBe(0);
    expect(exactNumber("100")).toBe(100);
    expect(exactNumber("0.1234567890123456789")).toBeNull();
    expect(exactNumber("9007199254740993")).toBeNull();
  });
});
