import { AppError, type Fault } from "../../core/errors.ts";
import { eventTimeMs } from "../../core/event-check.ts";
import { type Event, eventSchema, MAX_CLOCK_SKEW_MS } from "../../core/event.ts";
import { jsonPointer } from "../../core/json-faults.ts";
import { HttpError } from "../../core/problem.ts";
import { parseTimestamp } from "../../core/timestamp.ts";

/**
 * All or nothing: the values as events of this client. Throws `invalid` with every fault of every event, 403 where an
 * event names another client.
 */
export function check(values: readonly unknown[], clientId: string, nowMs: number): Event[] {
  const latestMs = nowMs + MAX_CLOCK_SKEW_MS;
  for (const value of values) {
    // Comparing with NaN, which is what no event is, is false.
    if (!(eventTimeMs(value) <= latestMs) || (value as Event).client_id !== clientId) {
      throw refusalOf(values, clientId, latestMs);
    }
  }
  return values as Event[];
}

function refusalOf(values: readonly unknown[], clientId: string, latestMs: number): AppError {
  const faults = values.flatMap((value, index) => faultsOf(value, index, latestMs));
  if (faults.length > 0) return new AppError("invalid", "Nothing was taken.", { faults });
  const foreign = values.flatMap((value, index): Fault[] =>
    (value as Event).client_id === clientId
      ? []
      : [{ index, path: "/client_id", reason: "not the client of the token" }],
  );
  return new HttpError(403, "An event names another client. Nothing was taken.", {}, foreign);
}

function faultsOf(value: unknown, index: number, latestMs: number): Fault[] {
  const issues = eventSchema.safeParse(value).error?.issues ?? [];
  const faults = issues.map((issue) => ({ index, path: jsonPointer(issue.path), reason: issue.message }));
  const timestamp = (value as Partial<Event> | null)?.timestamp;
  if (typeof timestamp === "string" && parseTimestamp(timestamp) > latestMs) {
    faults.push({ index, path: "/timestamp", reason: `more than ${MAX_CLOCK_SKEW_MS / 60_000} minutes ahead` });
  }
  return faults;
}
