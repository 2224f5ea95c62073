import type { Event } from "./event.ts";

/** `user:…`, `anon:…` or `session:…`, back into the field of an event that it came from. */
export function personOf(personKey: string): Pick<Event, "user_id" | "anon_id" | "session_id"> {
  const colon = personKey.indexOf(":");
  const [kind, id] = [personKey.slice(0, colon), personKey.slice(colon + 1)];
  if (kind === "user") return { user_id: id };
  return kind === "anon" ? { anon_id: id } : { session_id: id };
}
