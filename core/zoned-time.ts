import { DAY_MS } from "./time.ts";

const HALF_DAY_MS = DAY_MS / 2;
const formats = new Map<string, Intl.DateTimeFormat>();

export function isTimeZone(name: string): boolean {
  try {
    return formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

/** The zone of a client's settings. What is no name of a zone, or of one that nobody knows, is UTC: reports say which it was. */
export function zoneOf({ timezone }: { timezone?: unknown }): string {
  const isName = typeof timezone === "string" && /^[A-Za-z]/.test(timezone) && isTimeZone(timezone);
  return isName ? timezone : "UTC";
}

/**
 * The moment at which the clocks of a zone show this, both in epoch milliseconds (`localMs` as if the zone were UTC). Of two such moments,
 * when the clocks go back, the first; NaN where there is none, when they go forward.
 */
export function fromZone(localMs: number, timeZone: string): number {
  if (timeZone === "UTC") return localMs;
  // Before and after any change of the clocks that may lie near.
  const offsets = [offsetAt(localMs - HALF_DAY_MS, timeZone), offsetAt(localMs + HALF_DAY_MS, timeZone)];
  const found = offsets.map((offset) => localMs - offset).filter((ms) => ms + offsetAt(ms, timeZone) === localMs);
  return found.length === 0 ? Number.NaN : Math.min(...found);
}

/** How far a zone's clocks are ahead of UTC. */
function offsetAt(ms: number, timeZone: string): number {
  const whole = Math.floor(ms / 1_000) * 1_000;
  const [date = "", time = ""] = formatOf(timeZone).format(whole).split(" ");
  return Date.parse(`${date}T${time}Z`) - whole;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    // Sweden writes dates as ISO 8601 does.
    format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium", hourCycle: "h23" });
    formats.set(timeZone, format);
  }
  return format;
}
