import type { Condition } from "../condition.ts";
import type { PersonFacts } from "../contracts/journey.ts";

const ENTRY = "entry.";

/**
 * What conditions about a person can ask for:
 *
 * - `attributes.<name>`: traits and attributes
 * - `entry.<path>`: the props of the event that began the run
 * - `last_seen_at`, `last_event_at.<type>`: ISO times
 * - `done.<type>`: whether the person has done it since their last purchase; for `purchase`, whether they have bought
 *   since they entered. This is what a marketer means by "added to cart and not purchased", and it is why somebody who
 *   bought last month can be reminded of today's cart.
 */
export function factsForConditions(person: PersonFacts, entryAtMs: number): Record<string, unknown> {
  // Whole paths as keys: a prop's name may itself hold dots.
  const entry = Object.entries(person.entry ?? {}).map(([path, value]) => [ENTRY + path, value]);
  return { ...person, done: whatIsDone(person.last_event_at, entryAtMs), ...Object.fromEntries(entry) };
}

function whatIsDone(lastEventAt: Readonly<Record<string, string>>, entryAtMs: number): Record<string, boolean> {
  const boughtAtMs = timeOf(lastEventAt, "purchase");
  const done = Object.keys(lastEventAt).map((type): [string, boolean] => [
    type,
    type === "purchase" ? boughtAtMs >= entryAtMs : timeOf(lastEventAt, type) > boughtAtMs,
  ]);
  return Object.fromEntries(done);
}

function timeOf(lastEventAt: Readonly<Record<string, string>>, type: string): number {
  const at = Object.hasOwn(lastEventAt, type) ? lastEventAt[type] : undefined;
  return at === undefined ? Number.NEGATIVE_INFINITY : Date.parse(at);
}

/** The person with an event counted in that the profile may not show yet. */
export function withEvent(person: PersonFacts, eventType: string, at: string): PersonFacts {
  const known = Object.hasOwn(person.last_event_at, eventType) ? person.last_event_at[eventType] : undefined;
  if (known !== undefined && Date.parse(known) >= Date.parse(at)) return person;
  return { ...person, last_event_at: { ...person.last_event_at, [eventType]: at } };
}

/** What a node has to be told of its person and of the entry event, for these conditions. */
export function askFor(conditions: readonly Condition[]): { type: "read_person"; entry_paths?: string[] } {
  const asked = conditions.filter(({ path }) => path.startsWith(ENTRY)).map(({ path }) => path.slice(ENTRY.length));
  return { type: "read_person", ...(asked.length > 0 && { entry_paths: [...new Set(asked)] }) };
}

/** First parts of the paths that conditions about a person may use. */
export const FACT_ROOTS = ["attributes", "last_seen_at", "last_event_at", "done", "entry"] as const;

export function isFactPath(path: string): boolean {
  // The entry is no fact as a whole.
  return path !== "entry" && FACT_ROOTS.some((root) => path === root || path.startsWith(`${root}.`));
}
