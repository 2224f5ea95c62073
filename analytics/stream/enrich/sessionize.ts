import { addToSession, type Session, SESSION_TTL_DAYS, summarizeSession } from "../../../core/session.ts";
import { anonKey, userKey } from "../../../core/stitch.ts";
import { landingPageOf, sourceOf } from "../../../core/utm.ts";
import type { ItemKey } from "../../../platform/user-store.ts";
import { personItem, sessionSort } from "./keys.ts";
import { type Draft, OK, type Step, type Unit } from "./step.ts";

const DAY_S = 86_400;

/**
 * The session's snapshot: start, end, duration, steps, landing page, source. It lies under the device it began on, else
 * under the user; a session goes on when its visitor logs in half-way, so both are looked at.
 */
export function createSessionizeStep(): Step {
  return {
    name: "sessionize",
    needs: [placesOf],
    run(draft, unit) {
      const key = findPlace(draft, unit);
      if (!key) return OK;
      const { found, event, at } = draft;
      const step = {
        session_id: event.session_id ?? "",
        person_key: found.person.key,
        at,
        page: landingPageOf(event),
        source: sourceOf(event, found.utm),
        is_bot: found.is_bot,
      };
      const expiresAt = Math.floor(draft.receivedAtMs / 1000) + SESSION_TTL_DAYS * DAY_S;
      const origin = { lane: draft.lane, place: draft.source };
      unit.items.change<Session>(key, origin, (before) => ({ data: addToSession(before, step), expiresAt }));
      const session = unit.items.get<Session>(key);
      found.session = session ? summarizeSession(session) : null;
      return OK;
    },
  };
}

/** Where the session lies, or where it is to lie. */
function findPlace(draft: Draft, unit: Unit): ItemKey | undefined {
  const places = placesOf(draft);
  return places.find((place) => unit.items.get(place) !== undefined) ?? places[0];
}

function placesOf({ clientId, event, found }: Draft): ItemKey[] {
  const { session_id, anon_id, user_id } = event;
  if (!session_id) return [];
  // Logged in, and silent about the device: it may have begun on any that the user is known by.
  const owners = anon_id ? [anonKey(anon_id), ...(user_id ? [userKey(user_id)] : [])] : found.person.keys;
  return owners.map((owner) => personItem(clientId, owner, sessionSort(session_id)));
}
