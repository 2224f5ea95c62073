import { parseTimestamp } from "../timestamp.ts";
import { fromZone } from "../zoned-time.ts";

/** Reads what one format describes: epoch milliseconds, or in words why it cannot. */
export type ReadTime = (text: string) => number | string;

/** Formats by name; every other is a pattern of `TOKENS`. */
export const NAMED_FORMATS = ["iso", "epoch_s", "epoch_ms"] as const;

interface Token {
  pattern: string;
  field: Field;
}
type Field = "year" | "month" | "monthName" | "day" | "hour" | "half" | "minute" | "second" | "fraction" | "zone";

const TOKENS: Record<string, Token> = {
  YYYY: { pattern: "\\d{4}", field: "year" },
  MMM: { pattern: "[A-Za-z]{3}", field: "monthName" },
  MM: { pattern: "\\d{2}", field: "month" },
  M: { pattern: "\\d{1,2}", field: "month" },
  DD: { pattern: "\\d{2}", field: "day" },
  D: { pattern: "\\d{1,2}", field: "day" },
  HH: { pattern: "\\d{2}", field: "hour" },
  H: { pattern: "\\d{1,2}", field: "hour" },
  hh: { pattern: "\\d{2}", field: "hour" },
  h: { pattern: "\\d{1,2}", field: "hour" },
  A: { pattern: "[AaPp][Mm]", field: "half" },
  mm: { pattern: "\\d{2}", field: "minute" },
  ss: { pattern: "\\d{2}", field: "second" },
  SSS: { pattern: "\\d{1,9}", field: "fraction" },
  Z: { pattern: "(?:Z|[+-]\\d{2}:?\\d{2})", field: "zone" },
};
const TOKEN_NAMES = Object.keys(TOKENS);
const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const PART = /'([^']*)'|([A-Za-z]+)|([^A-Za-z']+)|'/g;
const NO_ZONE = "a time without a zone, and the mapping has none (time_zone)";

export interface DateFormat {
  /** Whether what it reads says its zone itself. */
  hasZone: boolean;
  hasTime: boolean;
  fields: readonly Field[];
  expression: RegExp;
}

/** A pattern made ready; in words what is wrong with it. */
export function compileDateFormat(pattern: string): DateFormat | string {
  const fields: Field[] = [];
  let expression = "";
  for (const [whole, quoted, letters, other] of pattern.matchAll(PART)) {
    if (whole === "'") return "has a quote that is not closed";
    if (letters === undefined) expression += escapeText(quoted ?? other ?? "");
    for (const name of letters?.match(/(.)\1*/g) ?? []) {
      const token = Object.hasOwn(TOKENS, name) ? TOKENS[name] : undefined;
      if (token === undefined)
        return `"${name}" is none of ${TOKEN_NAMES.join(", ")}: put other letters between quotes ('T')`;
      fields.push(token.field);
      expression += `(${token.pattern})`;
    }
  }
  const has = (field: Field) => fields.includes(field);
  if (new Set(fields).size !== fields.length) return "names something twice";
  if (!has("year") || !(has("month") || has("monthName")) || !has("day")) return "must have year, month and day";
  return { hasZone: has("zone"), hasTime: has("hour"), fields, expression: new RegExp(`^${expression}$`) };
}

/** `timeOfDay`: `12:00`, where the format has none. `timeZone`: of what says none itself. */
export function createTimeReader(format: string, timeZone: string | undefined, timeOfDay = "00:00"): ReadTime {
  if (format === "iso") return (text) => readIso(text.trim(), timeZone, timeOfDay);
  if (format === "epoch_s") return (text) => readEpoch(text.trim(), 1_000);
  if (format === "epoch_ms") return (text) => readEpoch(text.trim(), 1);
  const compiled = compileDateFormat(format);
  if (typeof compiled === "string") throw new Error(`format ${compiled}`);
  return (text) => readPattern(text.trim(), compiled, timeZone, timeOfDay) ?? `not a time in the format ${format}`;
}

const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?)? ?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

/** ISO 8601, and as databases print it: a space for the T, seconds or the time of day left out. */
function readIso(text: string, timeZone: string | undefined, timeOfDay: string): number | string {
  const [, date, time, seconds, zone] = ISO.exec(text) ?? [];
  if (date === undefined) return "not an ISO 8601 time";
  const localMs = parseTimestamp(`${date}T${time ?? timeOfDay}${seconds ?? ":00"}Z`);
  if (Number.isNaN(localMs)) return "not a day and time of the calendar";
  return inZone(localMs, zone, timeZone);
}

function readEpoch(text: string, unitMs: number): number | string {
  return /^\d{1,16}(\.\d{1,9})?$/.test(text) ? Math.round(Number(text) * unitMs) : "not a number of the epoch";
}

function readPattern(
  text: string,
  { fields, expression }: DateFormat,
  timeZone: string | undefined,
  timeOfDay: string,
): number | string | null {
  const match = expression.exec(text);
  if (match === null) return null;
  const found = Object.fromEntries(fields.map((field, i) => [field, match[i + 1]])) as Partial<Record<Field, string>>;
  const month = found.monthName ? MONTHS.indexOf(found.monthName.toLowerCase()) + 1 : Number(found.month);
  const time =
    found.hour === undefined ? timeOfDay : `${two(hourOf(found.hour, found.half))}:${two(Number(found.minute ?? 0))}`;
  const fraction = found.fraction === undefined ? "" : `.${found.fraction}`;
  const iso = `${found.year}-${two(month)}-${two(Number(found.day))}T${time}:${found.second ?? "00"}${fraction}Z`;
  const localMs = parseTimestamp(iso);
  if (Number.isNaN(localMs)) return "not a day and time of the calendar";
  return inZone(localMs, found.zone, timeZone);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** 99, which no clock shows, where twelve hours are not what was written. */
function hourOf(text: string, half: string | undefined): number {
  const hour = Number(text);
  if (half === undefined) return hour;
  if (hour < 1 || hour > 12) return 99;
  return (hour % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
}

function inZone(localMs: number, zone: string | undefined, timeZone: string | undefined): number | string {
  if (zone !== undefined) return localMs - offsetOf(zone);
  if (timeZone === undefined) return NO_ZONE;
  const ms = fromZone(localMs, timeZone);
  return Number.isNaN(ms) ? `a time that the clocks of ${timeZone} leap over` : ms;
}

function offsetOf(zone: string): number {
  if (/^z$/i.test(zone)) return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(":", "") || 0)];
  return (hours * 60 + minutes) * 60_000 * (zone.startsWith("-") ? -1 : 1);
}

function escapeText(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
