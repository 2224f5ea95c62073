import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { NO_CURRENCY, readCurrency, readDecimal, toMinor } from "./money.ts";

describe("readDecimal", () => {
  it.each([
    ["129.00", 129_000_000_000n],
    [129, 129_000_000_000n],
    [" +1.5\n", 1_500_000_000n],
    ["-0.5", -500_000_000n],
    [1e-7, 0n],
    ["0.1234567894", 123_456_789n],
    ["999999999999", 999_999_999_999_000_000_000n],
    ["1234567890123", null],
    ["1e3", null],
    ["1,299", null],
    ["₹129", null],
    ["", null],
    [true, null],
    [{}, null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
  ])("%j", (value, expected) => expect(readDecimal(value)).toBe(expected));
});

describe("toMinor", () => {
  it("knows each currency's minor unit, and rounds half of one away from zero", () => {
    const amount = readDecimal("1.0055")!;
    expect(["JPY", "EUR", "KWD", "CLF", "XYZ"].map((currency) => toMinor(amount, currency))).toEqual([
      1,
      101,
      1_006,
      10_055,
      null,
    ]);
    expect([toMinor(readDecimal("0.5")!, "JPY"), toMinor(readDecimal("-0.5")!, "JPY")]).toEqual([1, -1]);
  });

  it("does not count beyond what can be counted", () => {
    expect(toMinor(readDecimal("90071992547409.91".slice(0, 12))!, "EUR")).not.toBeNull();
    expect(toMinor(readDecimal("999999999999")!, "EUR", readDecimal(1_000)!)).toBeNull();
  });

  it("is what a shopkeeper would have counted", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 1, max: 1_000 }), (cents, quantity) => {
        const price = readDecimal(cents / 100);
        expect(toMinor(price!, "EUR", readDecimal(quantity)!)).toBe(cents * quantity);
      }),
    );
  });
});

describe("readCurrency", () => {
  it("takes what ISO 4217 has, in any case, and none for none", () => {
    const read = ["INR", " usd ", undefined, null, "", "rupees", 7].map(readCurrency);
    expect(read).toEqual(["INR", "USD", NO_CURRENCY, NO_CURRENCY, NO_CURRENCY, null, null]);
  });
});
