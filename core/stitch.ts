import type { Person } from "./enriched-event.ts";
import type { Event } from "./event.ts";

/** Whom a device belongs to: written when an event carries both ids. The latest such event wins for what comes. */
export interface AnonLink {
  user_id: string;
  /** Of the latest event that carried both. */
  linked_at: string;
}

/** The devices a user has been seen on. A device that changes hands stays here: what was done on it was done. */
export interface Aliases {
  anon_ids: string[];
  /** Links that were refused because there were too many: a shared till or a bot, not a person. */
  refused: number;
  refused_at: string | null;
}

/** The most devices that are one person. */
export const MAX_ALIASES = 50;

export type LinkOutcome = "known" | "linked" | "refused";

/** What becomes of a link between a device and a user. */
export function judgeLink(aliases: Aliases | undefined, anonId: string): LinkOutcome {
  if (aliases?.anon_ids.includes(anonId)) return "known";
  return (aliases?.anon_ids.length ?? 0) >= MAX_ALIASES ? "refused" : "linked";
}

export function addAlias(before: Aliases | undefined, anonId: string, at: string): Aliases {
  const aliases = before ?? { anon_ids: [], refused: 0, refused_at: null };
  const outcome = judgeLink(before, anonId);
  if (outcome === "linked") return { ...aliases, anon_ids: [...aliases.anon_ids, anonId] };
  if (outcome === "known") return aliases;
  const refused_at = aliases.refused_at !== null && aliases.refused_at > at ? aliases.refused_at : at;
  return { ...aliases, refused: aliases.refused + 1, refused_at };
}

/** Of two users at the same time the greater id counts, so that a repetition changes nothing. */
export function linkDevice(before: AnonLink | undefined, userId: string, at: string): AnonLink {
  const isLater = !before || at > before.linked_at || (at === before.linked_at && userId > before.user_id);
  return isLater ? { user_id: userId, linked_at: at } : before;
}

/** Who an event is to be counted to: the user it names, else the user its device belongs to, else the device. */
export function personOf(
  event: Pick<Event, "user_id" | "anon_id" | "session_id">,
  link: AnonLink | undefined,
  aliases: Aliases | undefined,
): Person {
  const anon_id = event.anon_id ?? null;
  const user_id = event.user_id ?? link?.user_id ?? null;
  const key = user_id !== null ? userKey(user_id) : anon_id !== null ? anonKey(anon_id) : `session:${event.session_id}`;
  const keys = new Set([key]);
  if (anon_id !== null) keys.add(anonKey(anon_id));
  if (user_id !== null) for (const alias of aliases?.anon_ids ?? []) keys.add(anonKey(alias));
  return { key, user_id, anon_id, keys: [...keys] };
}

/**
 * The keys that an event names itself, the user's first. Its items lie under these: what turns out later, that a device is
 * somebody's, must not change where a repetition goes. Who reads puts together what lies under all keys of a person.
 */
export function ownKeys(event: Pick<Event, "user_id" | "anon_id" | "session_id">): [string, ...string[]] {
  const { user_id, anon_id, session_id } = event;
  if (user_id) return anon_id ? [userKey(user_id), anonKey(anon_id)] : [userKey(user_id)];
  return [anon_id ? anonKey(anon_id) : `session:${session_id}`];
}

export function userKey(userId: string): string {
  return `user:${userId}`;
}

export function anonKey(anonId: string): string {
  return `anon:${anonId}`;
}
