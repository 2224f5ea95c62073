import {
  addAlias,
  type Aliases,
  type AnonLink,
  anonKey,
  judgeLink,
  linkDevice,
  personOf,
  userKey,
} from "../../../core/stitch.ts";
import type { ItemKey } from "../../../platform/user-store.ts";
import { ALIASES, LINK, personItem } from "./keys.ts";
import { type Draft, OK, type Step, type Unit } from "./step.ts";

export interface StitchDeps {
  onLink(outcome: "linked" | "refused"): void;
}

/**
 * Who an event belongs to. One that carries both a device and a user (a log-in, `identify`, or just any) links the two:
 * what the device does from then on is the user's. A user has a limit of devices; a link beyond it is refused.
 */
export function createStitchStep({ onLink }: StitchDeps): Step {
  return {
    name: "stitch",
    needs: [
      ({ clientId, event }) => [
        ...(event.anon_id ? [linkKey(clientId, event.anon_id)] : []),
        ...(event.user_id ? [aliasesKey(clientId, event.user_id)] : []),
      ],
      ({ clientId, event }, { items }) => {
        const owner = event.anon_id && items.get<AnonLink>(linkKey(clientId, event.anon_id))?.user_id;
        return owner ? [aliasesKey(clientId, owner)] : [];
      },
    ],
    run(draft, unit) {
      const { anon_id, user_id } = draft.event;
      if (anon_id && user_id) link(draft, { anon_id, user_id }, unit, onLink);
      const device = anon_id ? unit.items.get<AnonLink>(linkKey(draft.clientId, anon_id)) : undefined;
      const user = user_id ?? device?.user_id ?? null;
      const aliases = user === null ? undefined : unit.items.get<Aliases>(aliasesKey(draft.clientId, user));
      draft.found.person = personOf(draft.event, device, aliases);
      return OK;
    },
  };
}

function link(
  draft: Draft,
  ids: { anon_id: string; user_id: string },
  { items }: Unit,
  onLink: StitchDeps["onLink"],
): void {
  const { anon_id, user_id } = ids;
  const origin = { lane: draft.lane, place: draft.source };
  const aliasKey = aliasesKey(draft.clientId, user_id);
  const outcome = judgeLink(items.get<Aliases>(aliasKey), anon_id);
  if (outcome !== "known") {
    onLink(outcome);
    items.change<Aliases>(aliasKey, origin, (before) => ({ data: addAlias(before, anon_id, draft.at) }));
  }
  if (outcome === "refused") return;
  // Also where the device is this user's already: by when it was used last, a log-in of another's that comes late is told to be old.
  items.change<AnonLink>(linkKey(draft.clientId, anon_id), origin, (now) => ({
    data: linkDevice(now, user_id, draft.at),
  }));
}

function linkKey(clientId: string, anonId: string): ItemKey {
  return personItem(clientId, anonKey(anonId), LINK);
}

function aliasesKey(clientId: string, userId: string): ItemKey {
  return personItem(clientId, userKey(userId), ALIASES);
}
