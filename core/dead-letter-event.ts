import type { Enrichment } from "./enriched-event.ts";
import { type Event, eventSchema, MAX_DEPTH, MAX_EVENT_BYTES } from "./event.ts";
import type { Fault } from "./errors.ts";
import { findJsonFaults, jsonPointer } from "./json-faults.ts";
import { findLosses } from "./json-losses.ts";
import { applyPatch, isSameJson, type Patch } from "./patch.ts";

/** The part of a dead letter that its event is made of. */
export interface LetterPayload {
  id: string;
  client_id: string;
  payload: Buffer;
  /** Where the event had been enriched when it failed. */
  enrichment: Enrichment | null;
}

/** What would go back onto the stream, and whether it may. */
export interface Mended {
  /** As parsed; undefined where the bytes are no JSON. */
  before: unknown;
  after: unknown;
  /** JSON pointers of what differs, outermost first; at most 50. */
  changed: string[];
  /** The original bytes where nothing was changed. Null where there are faults. */
  ready: { raw: Buffer; event: Event } | null;
  faults: Fault[];
}

/** What has been enriched is known under these: changing one would make two things of it. */
const FIXED_ONCE_ENRICHED = ["event_id", "event_type", "timestamp", "user_id", "anon_id", "session_id"] as const;
const MAX_CHANGED = 50;
const MAX_FAULTS = 20;

/**
 * A letter's event as a patch makes it, held to what the edge holds events to: a letter whose result has faults would only
 * fail again, and is not replayed.
 */
export function mendLetter(letter: LetterPayload, patch: Patch | null): Mended {
  const before = letter.enrichment === null ? parseBytes(letter.payload) : parseAsEnriched(letter.payload);
  if (isDeep(before.value)) {
    const faults = [{ path: "", reason: `nested deeper than ${MAX_DEPTH}` }];
    return { before: undefined, after: undefined, changed: [], faults, ready: null };
  }
  const after = patch === null ? before.value : applyPatch(before.value, patch, letter.id);
  const isChanged = !isSameJson(before.value, after);
  const changed = isChanged ? findChanges(before.value, after).slice(0, MAX_CHANGED) : [];
  const raw = isChanged ? Buffer.from(JSON.stringify(after) ?? "") : letter.payload;
  const faults = [
    ...(isChanged ? findLosses(before.value) : before.faults),
    ...faultsOf(after, letter, raw),
    ...(letter.enrichment === null ? [] : findMoved(before.value ?? identityOf(letter.enrichment), after)),
  ].slice(0, MAX_FAULTS);
  return {
    before: before.value,
    after,
    changed,
    faults,
    ready: faults.length > 0 ? null : { raw, event: after as Event },
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parseBytes(payload: Buffer): { value: unknown; faults: Fault[] } {
  let text: string;
  try {
    text = utf8.decode(payload);
  } catch {
    return unreadable("is not UTF-8");
  }
  try {
    return { value: JSON.parse(text), faults: [] };
  } catch {
    return unreadable("is not JSON");
  }
}

/**
 * As the enrichment has read it, which lives with bytes that are no UTF-8: a patch that changes anything then makes whole text of
 * it, with U+FFFD where others have read that, too.
 */
function parseAsEnriched(payload: Buffer): { value: unknown; faults: Fault[] } {
  const strict = parseBytes(payload);
  if (strict.faults.length === 0) return strict;
  try {
    return { value: JSON.parse(payload.toString("utf8")), faults: strict.faults };
  } catch {
    return strict;
  }
}

/** Of an event whose bytes are gone: what it was enriched under. */
function identityOf({ event_id, event_type, timestamp, session_id, person }: Enrichment): object {
  return { event_id, event_type, timestamp, session_id, user_id: person.user_id, anon_id: person.anon_id };
}

function unreadable(reason: string): { value: undefined; faults: Fault[] } {
  return { value: undefined, faults: [{ path: "", reason }] };
}

function faultsOf(value: unknown, { client_id }: LetterPayload, raw: Buffer): Fault[] {
  if (value === undefined) return [];
  const unsafe = findJsonFaults(value, 0, MAX_DEPTH).map(({ path, reason }) => ({ path, reason }));
  if (unsafe.length > 0) return unsafe;
  const faults = (eventSchema.safeParse(value).error?.issues ?? []).map((issue) => ({
    path: jsonPointer(issue.path),
    reason: issue.message,
  }));
  const named = (value as Partial<Event> | null)?.client_id;
  if (faults.length === 0 && named !== client_id) {
    faults.push({ path: "/client_id", reason: "not the client of the dead letter" });
  }
  if (raw.length > MAX_EVENT_BYTES)
    faults.push({ path: "", reason: `${raw.length} bytes, at most ${MAX_EVENT_BYTES}` });
  return faults;
}

function findMoved(before: unknown, after: unknown): Fault[] {
  const moved = FIXED_ONCE_ENRICHED.filter(
    (name) => !isSameJson(ownOf(before, name) ?? null, ownOf(after, name) ?? null),
  );
  const reason = "has been enriched under this already, and cannot be changed any more";
  return moved.map((name) => ({ path: `/${name}`, reason }));
}

function findChanges(before: unknown, after: unknown, path = ""): string[] {
  if (isSameJson(before, after)) return [];
  if (!isPlain(before) || !isPlain(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => findChanges(ownOf(before, key), ownOf(after, key), path + jsonPointer([key])));
}

function ownOf(value: unknown, key: string): unknown {
  return isPlain(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Found out level by level: what nests without end would exhaust the stack of whoever walks it. */
function isDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
    level = level.filter((one) => typeof one === "object" && one !== null);
    if (depth >= MAX_DEPTH) return level.length > 0;
  }
  return false;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
