import { type Event, ID_PATTERN, MAX_EVENT_TYPE_LENGTH, MAX_ID_LENGTH } from "./event.ts";
import { isObject } from "./is-object.ts";
import { parseTimestamp } from "./timestamp.ts";

const GUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/**
 * When an event happened, in epoch milliseconds; NaN where a value out of `JSON.parse` is not an event: `eventSchema` by
 * hand, for the hot path, where nearly all of them are. The schema says what is wrong when one is not.
 */
export function eventTimeMs(value: unknown): number {
  if (!isObject(value)) return Number.NaN;
  const { event_id, timestamp, client_id, user_id, anon_id, session_id, event_type, props, context } = value;
  const isWhole =
    typeof event_id === "string" &&
    GUID.test(event_id) &&
    typeof timestamp === "string" &&
    isText(client_id, MAX_ID_LENGTH) &&
    isText(event_type, MAX_EVENT_TYPE_LENGTH) &&
    isOptionalId(user_id) &&
    isOptionalId(anon_id) &&
    isOptionalId(session_id) &&
    isOptionalObject(props) &&
    isOptionalObject(context) &&
    (session_id ?? anon_id ?? user_id ?? null) !== null;
  const timeMs = isWhole ? parseTimestamp(timestamp) : Number.NaN;
  return timeMs >= 0 ? timeMs : Number.NaN;
}

export function isEvent(value: unknown): value is Event {
  return !Number.isNaN(eventTimeMs(value));
}

function isOptionalObject(value: unknown): boolean {
  return value === undefined || value === null || isObject(value);
}

function isOptionalId(value: unknown): boolean {
  return value === undefined || value === null || isText(value, MAX_ID_LENGTH);
}

function isText(value: unknown, max: number): boolean {
  if (typeof value !== "string" || value.length === 0 || value.length > max) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return ID_PATTERN.test(value);
  }
  return true;
}
