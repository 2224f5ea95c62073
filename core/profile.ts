import { textOf } from "./bounded.ts";
import type { PersonFacts } from "./contracts/journey.ts";
import { CONTACT_TRAITS, type Event } from "./event.ts";

/** What is known of a person that is not personal data: that lies in PostgreSQL, under `contacts`. */
export interface Profile {
  first_seen_at: string;
  last_seen_at: string;
  /** Event type → when the latest happened; the most recent types only. */
  last_event_at: Record<string, string>;
  /**
   * Which event the latest purchase was: it ends most journeys, and who asks why one ended is told. The ids of other types
   * would cost every write some hundred bytes for something that hardly anybody asks.
   */
  last_purchase?: Purchase;
  /** From `identify`: scalars, without what identifies. */
  attributes: Record<string, Attribute>;
  country: string | null;
  device: string | null;
}

/** A trait, and the event time it was told at: the latest word counts, in whatever order events come. */
interface Attribute {
  value: string | number | boolean;
  at: string;
}

interface Purchase {
  event_id: string;
  at: string;
}

export interface Sighting {
  at: string;
  event: Pick<Event, "event_id" | "event_type" | "props">;
  country: string | null;
  device: string | null;
}

const MAX_EVENT_TYPES = 64;
const MAX_ATTRIBUTES = 100;
const MAX_ATTRIBUTE_LENGTH = 256;
const LOCAL_TRAITS = new Set<string>(["locale", "timezone"]);
/** Traits that identify a person, beside those that have a column of their own. */
const PERSONAL = new Set<string>(
  [
    CONTACT_TRAITS.filter((trait) => !LOCAL_TRAITS.has(trait)),
    "first_name last_name full_name firstName lastName username address street avatar mobile whatsapp".split(" "),
    "birthday birthdate date_of_birth dob ssn passport ip token password".split(" "),
  ].flat(),
);
const LOOKS_LIKE_ADDRESS = /\S@\S+\.\S|^\+?[\d\s().-]{9,}$/;

export function addToProfile(before: Profile | undefined, sighting: Sighting): Profile {
  const { at, event } = sighting;
  const isLatest = !before || at >= before.last_seen_at;
  return {
    first_seen_at: before && before.first_seen_at < at ? before.first_seen_at : at,
    last_seen_at: before && !isLatest ? before.last_seen_at : at,
    last_event_at: noteEvent(before?.last_event_at ?? {}, event.event_type, at),
    ...latestPurchase(
      before?.last_purchase,
      event.event_type === "purchase" ? { event_id: event.event_id, at } : undefined,
    ),
    attributes:
      event.event_type === "identify" ? noteTraits(before?.attributes ?? {}, event, at) : (before?.attributes ?? {}),
    country: (isLatest ? (sighting.country ?? before?.country) : (before.country ?? sighting.country)) ?? null,
    device: (isLatest ? (sighting.device ?? before?.device) : (before.device ?? sighting.device)) ?? null,
  };
}

/** One person under several keys; does not depend on the order of the keys. */
export function mergeProfiles(profiles: readonly Profile[]): Profile | undefined {
  const [latest, ...others] = profiles.toSorted((a, b) => (a.last_seen_at < b.last_seen_at ? 1 : -1));
  if (!latest) return undefined;
  return others.reduce((merged, profile) => {
    let { last_event_at, attributes } = merged;
    for (const [type, at] of Object.entries(profile.last_event_at)) last_event_at = noteEvent(last_event_at, type, at);
    for (const [name, attribute] of Object.entries(profile.attributes))
      attributes = noteAttribute(attributes, name, attribute);
    const first_seen_at = profile.first_seen_at < merged.first_seen_at ? profile.first_seen_at : merged.first_seen_at;
    const country = merged.country ?? profile.country;
    const purchase = latestPurchase(merged.last_purchase, profile.last_purchase);
    const device = merged.device ?? profile.device;
    return { ...merged, first_seen_at, last_event_at, ...purchase, attributes, country, device };
  }, latest);
}

/** What conditions may ask of a person. */
export function factsOf(profile: Profile | undefined): PersonFacts {
  if (!profile) return { attributes: {}, last_seen_at: null, last_event_at: {} };
  const { country, device, last_seen_at, last_event_at, last_purchase } = profile;
  const attributes = { country, device, ...plainAttributes(profile) };
  const purchase = last_purchase && { last_purchase_id: last_purchase.event_id };
  return { attributes, last_seen_at, last_event_at, ...purchase };
}

/** Attributes as conditions read them. */
function plainAttributes(profile: Profile): Record<string, string | number | boolean> {
  return Object.fromEntries(Object.entries(profile.attributes).map(([name, { value }]) => [name, value]));
}

function noteEvent(known: Readonly<Record<string, string>>, type: string, at: string): Record<string, string> {
  const before = Object.hasOwn(known, type) ? known[type] : undefined;
  if (before !== undefined && before >= at) return known;
  return keepLatest(
    { ...Object.fromEntries(Object.entries(known)), ...ownProperty(type, at) },
    MAX_EVENT_TYPES,
    (time) => time,
  );
}

/** Of two at the same time the one with the greater id, in whatever order they come. */
function latestPurchase(a: Purchase | undefined, b: Purchase | undefined): Pick<Profile, "last_purchase"> {
  if (!a || !b) return a || b ? { last_purchase: (a ?? b)! } : {};
  const isLater = a.at === b.at ? a.event_id > b.event_id : a.at > b.at;
  return { last_purchase: isLater ? a : b };
}

function noteTraits(known: Profile["attributes"], event: Sighting["event"], at: string): Profile["attributes"] {
  let attributes = known;
  for (const [name, given] of Object.entries(event.props ?? {})) {
    const value = attributeOf(name, given);
    if (value !== null) attributes = noteAttribute(attributes, name, { value, at });
  }
  return attributes;
}

function noteAttribute(known: Profile["attributes"], name: string, attribute: Attribute): Profile["attributes"] {
  const before = Object.hasOwn(known, name) ? known[name] : undefined;
  if (before && !isLater(attribute, before)) return known;
  return keepLatest({ ...known, ...ownProperty(name, attribute) }, MAX_ATTRIBUTES, (kept) => kept.at);
}

/** Two words at the same time: the greater one, so that the order in which they come does not matter. */
function isLater(a: Attribute, b: Attribute): boolean {
  return a.at === b.at ? String(a.value) > String(b.value) : a.at > b.at;
}

function attributeOf(name: string, given: unknown): string | number | boolean | null {
  if (PERSONAL.has(name) || name.length > 128) return null;
  if (typeof given === "boolean" || (typeof given === "number" && Number.isFinite(given))) return given;
  const text = typeof given === "string" ? textOf(given, MAX_ATTRIBUTE_LENGTH) : null;
  return text === null || LOOKS_LIKE_ADDRESS.test(text) ? null : text;
}

function keepLatest<T>(entries: Record<string, T>, max: number, timeOf: (value: T) => string): Record<string, T> {
  const names = Object.keys(entries);
  if (names.length <= max) return entries;
  const sorted = Object.entries(entries).toSorted(([nameA, a], [nameB, b]) => {
    const [timeA, timeB] = [timeOf(a), timeOf(b)];
    return timeA === timeB ? (nameA < nameB ? -1 : 1) : timeA > timeB ? -1 : 1;
  });
  return Object.fromEntries(sorted.slice(0, max));
}

/** Also for a name like `__proto__`, which an object literal would take for something else. */
function ownProperty<T>(name: string, value: T): Record<string, T> {
  return Object.fromEntries([[name, value]]);
}
