/** How numbers are written: what stands before the decimals, and between thousands. */
export interface DecimalStyle {
  decimal: string;
  group: string;
}

export const PLAIN_DECIMALS: DecimalStyle = { decimal: ".", group: "" };

/** How people write numbers in a locale (BCP 47, `de-DE`); null where there is no such locale. */
export function decimalStyleOf(locale: string): DecimalStyle | null {
  try {
    if (Intl.NumberFormat.supportedLocalesOf(locale).length === 0) return null;
    const parts = new Intl.NumberFormat(locale, { numberingSystem: "latn", useGrouping: true }).formatToParts(
      1234567.5,
    );
    const of = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
    return { decimal: of("decimal"), group: of("group") };
  } catch {
    return null;
  }
}

/** People type a space where a locale prints a narrow one. */
const SPACES = /[\u00a0\u202f\u2009 ]/g;
const WRITTEN = /^([+-]?)(\d+)(?:\.(\d*))?$/;

/**
 * A number as it is written, as plain decimal digits (`-1234.50`); null where it is none in this style: a group of other than two or
 * three digits is a decimal point taken for a separator, and not guessed at.
 */
export function readDecimal(text: string, { decimal, group }: DecimalStyle): string | null {
  const [whole = "", fraction, ...more] = text.trim().replaceAll(SPACES, " ").split(decimal);
  if (more.length > 0) return null;
  const separator = group.replaceAll(SPACES, " ");
  const groups = separator === "" ? [whole] : whole.split(separator);
  if (!areGroups(groups)) return null;
  const match = WRITTEN.exec(fraction === undefined ? groups.join("") : `${groups.join("")}.${fraction}`);
  if (match === null) return null;
  const [, sign = "", digits = "", decimals = ""] = match;
  const plain = digits.replace(/^0+(?=\d)/, "") + (decimals === "" ? "" : `.${decimals}`);
  return sign === "-" ? `-${plain}` : plain;
}

/** India groups by two, but for the last three. */
function areGroups(groups: readonly string[]): boolean {
  if (groups.length === 1) return true;
  const [first = "", ...rest] = groups;
  const last = rest.pop() ?? "";
  return /^[+-]?\d{1,3}$/.test(first) && /^\d{3}$/.test(last) && rest.every((part) => /^\d{2,3}$/.test(part));
}

/** A JSON number that says the same; null where one cannot hold so many digits. */
export function exactNumber(plain: string): number | null {
  const number = Number(plain);
  if (!Number.isFinite(number)) return null;
  if (Number.isInteger(number))
    return Number.isSafeInteger(number) && String(number) === trimZeros(plain) ? number + 0 : null;
  return String(number) === trimZeros(plain) ? number : null;
}

function trimZeros(plain: string): string {
  return (plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain).replace(/^-0$/, "0");
}
