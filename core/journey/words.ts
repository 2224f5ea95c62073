import { DAY_MS, HOUR_MS, MINUTE_MS } from "../time.ts";

const UNITS: [number, string][] = [
  [DAY_MS, "day"],
  [HOUR_MS, "hour"],
  [MINUTE_MS, "minute"],
  [1000, "second"],
];

/** `"30 minutes"`, `"1 day"`, `"1.5 seconds"`: the largest unit that leaves at most one decimal. */
export function describeDuration(ms: number): string {
  for (const [size, name] of UNITS) {
    const amount = ms / size;
    if (amount >= 1 && Number.isInteger(amount * 10)) return `${amount} ${name}${amount === 1 ? "" : "s"}`;
  }
  return `${ms} ms`;
}

/** `"2026-11-21T10:30:00.000Z"`, or `"no set time"`. */
export function describeTime(ms: number | null): string {
  return ms === null ? "no set time" : new Date(ms).toISOString();
}
