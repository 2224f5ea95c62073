export interface JsonSlices {
  /** What the text is: one value, a list of them, or an object with a list under `events`. */
  form: "single" | "array" | "wrapped";
  /** Begin and end of each event, flat: [begin, end, begin, end, …]. */
  bounds: number[];
  /** How deep the deepest event nests: 1 for `{}`, 0 for a number. */
  depth: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Finds the events in a request's body without parsing it, so that their bytes go on as they were received. Works on any
 * bytes, reads each at most twice, and is only to be believed where `JSON.parse` takes the same text. Stops after `max`
 * events and one more.
 */
export function sliceJson(body: Uint8Array, max = Number.POSITIVE_INFINITY): JsonSlices {
  const begin = skipSpace(body, 0);
  if (body[begin] === OPEN_LIST) return { form: "array", ...sliceList(body, begin, max) };
  const listAt = body[begin] === OPEN_OBJECT ? findEvents(body, begin) : -1;
  if (listAt >= 0) return { form: "wrapped", ...sliceList(body, listAt, max) };
  const value = skipValue(body, begin);
  return { form: "single", bounds: [begin, value.end], depth: value.depth };
}

/** The elements of the list that begins at `at`. */
function sliceList(body: Uint8Array, at: number, max: number): { bounds: number[]; depth: number } {
  const bounds: number[] = [];
  let deepest = 0;
  let next = skipSpace(body, at + 1);
  while (next < body.length && body[next] !== CLOSE_LIST && bounds.length <= 2 * max) {
    const { end, depth } = skipValue(body, next);
    bounds.push(next, end);
    if (depth > deepest) deepest = depth;
    next = skipSpace(body, end);
    if (body[next] !== COMMA) break;
    next = skipSpace(body, next + 1);
  }
  return { bounds, depth: deepest };
}

/**
 * Where the list under the key `events` of the object at `at` begins; -1 where there is none, or where the object is
 * itself an event. Of a key that comes twice the last counts, as in `JSON.parse`.
 */
function findEvents(body: Uint8Array, at: number): number {
  let found = -1;
  let next = skipSpace(body, at + 1);
  while (body[next] === QUOTE) {
    const keyEnd = skipString(body, next);
    const key = textOf(body, next, keyEnd);
    const colon = skipSpace(body, keyEnd);
    if (body[colon] !== COLON || key === "event_id") return -1;
    const valueAt = skipSpace(body, colon + 1);
    if (key === "events") found = body[valueAt] === OPEN_LIST ? valueAt : -1;
    next = skipSpace(body, skipValue(body, valueAt).end);
    if (body[next] !== COMMA) break;
    next = skipSpace(body, next + 1);
  }
  return found;
}

const UTF8 = new TextDecoder();

/** A key as `JSON.parse` reads it; the empty string where it would not. */
function textOf(body: Uint8Array, begin: number, end: number): string {
  const text = UTF8.decode(body.subarray(begin, end));
  if (!text.includes("\\")) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    return "";
  }
}

/** The end of the value that begins at `at`, and how deep it nests. */
function skipValue(body: Uint8Array, at: number): { end: number; depth: number } {
  const first = body[at];
  if (first === QUOTE) return { end: skipString(body, at), depth: 0 };
  if (first !== OPEN_OBJECT && first !== OPEN_LIST) return { end: skipScalar(body, at), depth: 0 };
  const length = body.length;
  let depth = 0;
  let deepest = 0;
  for (let i = at; i < length; i++) {
    const byte = body[i];
    if (byte === QUOTE) i = skipString(body, i) - 1;
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (++depth > deepest) deepest = depth;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      if (--depth === 0) return { end: i + 1, depth: deepest };
    }
  }
  return { end: length, depth: deepest };
}

/** Past the closing quote of the string that begins at `at`. */
function skipString(body: Uint8Array, at: number): number {
  const length = body.length;
  let i = at + 1;
  for (; i < length; i++) {
    const byte = body[i];
    if (byte === QUOTE) return i + 1;
    if (byte === BACKSLASH) i++;
  }
  return length;
}

/** Past a number, a word, or whatever else is not JSON. Always moves on, so that no input is a loop. */
function skipScalar(body: Uint8Array, at: number): number {
  let i = at + 1;
  for (; i < body.length; i++) {
    const byte = body[i] as number;
    if (byte <= 0x20 || byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT) return i;
  }
  return Math.min(i, body.length);
}

function skipSpace(body: Uint8Array, at: number): number {
  let i = at;
  for (;;) {
    const byte = body[i];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return i;
    i++;
  }
}
