import { isObject } from "./is-object.ts";

/** Keys that lead out of an object into JavaScript's own. */
const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);
const MAX_TOKENS = 32;
export const MAX_POINTER_LENGTH = 512;

/** RFC 6901 as a list of keys; null where it is none, leads too deep, or into JavaScript's own objects. */
export function parsePointer(pointer: string): string[] | null {
  if (pointer === "") return [];
  if (!pointer.startsWith("/") || pointer.length > MAX_POINTER_LENGTH || /~(?![01])/.test(pointer)) return null;
  const tokens = pointer
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  return tokens.length > MAX_TOKENS || tokens.some((token) => FORBIDDEN.has(token)) ? null : tokens;
}

/** What lies there; undefined where nothing does. Only own properties, only elements that the list has. */
export function readAt(value: unknown, tokens: readonly string[]): unknown {
  let at = value;
  for (const token of tokens) {
    if (Array.isArray(at)) at = isIndex(token, at.length) ? (at as unknown[])[Number(token)] : undefined;
    else at = isObject(at) && Object.hasOwn(at, token) ? at[token] : undefined;
  }
  return at;
}

/**
 * The value with something else at a place, and nothing there where that is undefined. What is not on the way is shared
 * with the value before, which stays as it is. Objects that are missing on the way are made; null where something else
 * than an object, or than an element that the list has, stands in it.
 */
export function writeAt(value: unknown, tokens: readonly string[], written: unknown): { value: unknown } | null {
  const [token, ...rest] = tokens;
  if (token === undefined) return { value: written };
  if (Array.isArray(value)) return writeElement(value, token, rest, written);
  if (value !== undefined && !isObject(value)) return null;
  const before = value ?? {};
  const inner = writeAt(Object.hasOwn(before, token) ? before[token] : undefined, rest, written);
  if (inner === null) return null;
  const { [token]: _, ...others } = before;
  if (inner.value === undefined) return { value: others };
  // In its old place, so that a patched event differs from the one before in nothing else.
  return {
    value: Object.hasOwn(before, token) ? { ...before, [token]: inner.value } : { ...others, [token]: inner.value },
  };
}

function writeElement(list: readonly unknown[], token: string, rest: readonly string[], written: unknown) {
  if (!isIndex(token, list.length)) return null;
  const inner = writeAt(list[Number(token)], rest, written);
  if (inner === null) return null;
  const at = Number(token);
  return { value: inner.value === undefined ? list.toSpliced(at, 1) : list.with(at, inner.value) };
}

function isIndex(token: string, length: number): boolean {
  return /^(0|[1-9]\d{0,8})$/.test(token) && Number(token) < length;
}
