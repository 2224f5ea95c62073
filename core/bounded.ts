import { isObject } from "./is-object.ts";

/** Text cut to a length, so that one sender's odd value cannot fill an item; null where it is no text. */
export function textOf(value: unknown, maxLength = 256): string | null {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  if (typeof value !== "string") return null;
  const text = value.trim();
  // Not `slice` alone: half of a surrogate pair is no text.
  return text === "" ? null : text.slice(0, maxLength).toWellFormed();
}

/** The object at a path of keys, or an empty one. */
export function objectAt(value: unknown, ...path: string[]): Readonly<Record<string, unknown>> {
  let at: unknown = value;
  for (const key of path) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return isObject(at) ? at : {};
}
