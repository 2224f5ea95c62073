const ESCAPE = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\[^]/g;
const LONE = 6;

/**
 * JSON may spell half of a surrogate pair (`\ud83d` alone), which is no character; JavaScript lives with it, stricter readers
 * refuse the whole text. Such halves become U+FFFD; all else stays to the letter.
 */
export function replaceLoneSurrogates(json: string): string {
  if (!json.includes("\\ud") && !json.includes("\\uD")) return json;
  return json.replace(ESCAPE, (escape) => (escape.length === LONE ? "\\ufffd" : escape));
}

/** The keys that the columns read. Without the quote in front, which is everywhere, they are found three times as fast. */
const READ_KEYS = ['user_id"', 'anon_id"', 'session_id"', 'props"', 'context"'];

/**
 * The event as the lake's columns read it. An object may name a key twice: JavaScript, and so all of the stream, takes the
 * last, SQL the first. Where that could matter, the text is written anew from what JavaScript read.
 */
export function readableEvent(raw: string): string {
  const text = READ_KEYS.some((key) => occursTwice(raw, key)) ? rewrite(raw) : raw;
  return replaceLoneSurrogates(text);
}

function rewrite(raw: string): string {
  try {
    return JSON.stringify(JSON.parse(raw));
  } catch {
    throw new Error("event is not JSON");
  }
}

function occursTwice(text: string, part: string): boolean {
  const first = text.indexOf(part);
  return first >= 0 && text.includes(part, first + part.length);
}
