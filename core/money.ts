/** Decimal digits of a currency's minor unit where they are not two (ISO 4217). */
const EXPONENTS: Readonly<Record<string, number>> = {
  ...listOf(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
  ...listOf(3, "BHD IQD JOD KWD LYD OMR TND"),
  ...listOf(4, "CLF UYW"),
};

const TWO_DIGITS =
  "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW " +
  "CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR " +
  "ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN " +
  "NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC " +
  "SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW ZWG ZWL";

/** ISO 4217's own code for no currency: money of a sender who does not say which. Never added to any other; two decimals. */
export const NO_CURRENCY = "XXX";

/** By alphabetic code: how many decimal digits its minor unit has. */
export const CURRENCY_EXPONENTS: ReadonlyMap<string, number> = new Map([
  ...Object.entries(listOf(2, TWO_DIGITS)),
  ...Object.entries(EXPONENTS),
  [NO_CURRENCY, 2],
]);

/** Digits kept of what is behind the point; more are left off, which can only happen below any minor unit. */
const SCALE = 9;
const DECIMAL = /^[ \t\r\n]*([+-]?)(\d{1,12})(?:\.(\d{0,9})\d*)?[ \t\r\n]*$/;

/** A decimal number, exactly: `units` billionths. */
export type Decimal = bigint;

/**
 * What a sender calls a number: a JSON number, or text such as `"129.00"`, of up to twelve digits before the point. Null for
 * anything else: thousands' separators, symbols and exponents are no number that could be told for sure.
 */
export function readDecimal(value: unknown): Decimal | null {
  if (typeof value === "number" && Math.abs(value) < 0.0001) return 0n;
  if (typeof value !== "number" && typeof value !== "string") return null;
  const [, sign, whole, fraction = ""] = DECIMAL.exec(String(value)) ?? [];
  if (whole === undefined) return null;
  const units = BigInt(whole + fraction.padEnd(SCALE, "0"));
  return sign === "-" ? -units : units;
}

/** `INR` of `" inr"`; `XXX` where there is none; null where it is no currency. */
export function readCurrency(value: unknown): string | null {
  if (value === undefined || value === null || value === "") return NO_CURRENCY;
  if (typeof value !== "string") return null;
  const code = value.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "").toUpperCase();
  return CURRENCY_EXPONENTS.has(code) ? code : null;
}

/** Half a minor unit is rounded away from zero. Null where it is more than can be counted on (2^53 minor units). */
export function toMinor(amount: Decimal, currency: string, quantity: Decimal = 10n ** BigInt(SCALE)): number | null {
  const exponent = CURRENCY_EXPONENTS.get(currency);
  if (exponent === undefined) return null;
  const scaled = amount * quantity * 10n ** BigInt(exponent);
  const unit = 10n ** BigInt(2 * SCALE);
  const magnitude = ((scaled < 0n ? -scaled : scaled) + unit / 2n) / unit;
  const minor = Number(scaled < 0n ? -magnitude : magnitude);
  return Number.isSafeInteger(minor) ? minor : null;
}

function listOf(exponent: number, codes: string): Record<string, number> {
  return Object.fromEntries(codes.split(" ").map((code) => [code, exponent]));
}
