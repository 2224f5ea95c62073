import { DAY_MS, HOUR_MS, MINUTE_MS } from "./time.ts";

const DURATION = /^P(?=\d|T\d)(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?$/;
const UNITS_MS = [7 * DAY_MS, DAY_MS, HOUR_MS, MINUTE_MS, 1_000];

/**
 * Milliseconds of an ISO 8601 duration in weeks, days, hours, minutes and seconds: `PT30M`, `P1DT12H`. Undefined for anything
 * else, years and months among it: they have no length of their own.
 */
export function parseDuration(text: string): number | undefined {
  const found = DURATION.exec(text);
  if (!found) return undefined;
  return UNITS_MS.reduce((sum, unit, at) => sum + unit * Number(found[at + 1] ?? 0), 0);
}

/** The shortest way to write it in days, hours, minutes and seconds; weeks are written as days. */
export function formatDuration(ms: number): string {
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = UNITS_MS.slice(1).map((unit, at) => {
    const bigger = UNITS_MS[at]!;
    return Math.floor((at === 0 ? ms : ms % bigger) / unit);
  });
  const time = [
    [hours, "H"],
    [minutes, "M"],
    [seconds, "S"],
  ].flatMap(([count, letter]) => (count === 0 ? [] : [`${count}${letter}`]));
  if (days === 0 && time.length === 0) return "PT0S";
  return `P${days === 0 ? "" : `${days}D`}${time.length === 0 ? "" : `T${time.join("")}`}`;
}
