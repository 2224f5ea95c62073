import { MAX_DEPTH } from "./event.ts";
import type { Fault } from "./errors.ts";
import { jsonPointer } from "./json-faults.ts";

/** Writing a value anew must not lose digits that nobody asked to be changed: numbers that JSON.parse may have cut. */
export function findLosses(value: unknown, path = "", depth = 1): Fault[] {
  if (typeof value === "number") {
    const isKept = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    return isKept ? [] : [{ path, reason: "a number too long to be written anew: it would lose digits" }];
  }
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return [];
  return Object.entries(value).flatMap(([key, item]) => findLosses(item, path + jsonPointer([key]), depth + 1));
}
