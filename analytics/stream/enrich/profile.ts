import { textOf } from "../../../core/bounded.ts";
import { addToProfile, type Profile } from "../../../core/profile.ts";
import { ownKeys } from "../../../core/stitch.ts";
import type { ItemKey, UserStore } from "../../../platform/user-store.ts";
import { EMAIL, personItem, PHONE, PROFILE } from "./keys.ts";
import { type Draft, OK, type Step } from "./step.ts";

/** Under which address a person can be found: its keyed hash, never the address itself. */
export interface ContactHash {
  hash: string;
  at: string;
}

/** When a person was last seen and did what, what they told of themselves, and under which addresses they are found. */
export function createProfileStep(store: Pick<UserStore, "hashContact">): Step {
  return {
    name: "profile",
    needs: [
      (draft) => [profileKey(draft)],
      (draft) => contactsOf(draft).map(({ sort }) => personItem(draft.clientId, ownerOf(draft), sort)),
    ],
    run(draft, { items }) {
      const { event, found, at } = draft;
      const origin = { lane: draft.lane, place: draft.source };
      const sighting = { at, event, country: found.geo?.country ?? null, device: found.ua?.device ?? null };
      items.change<Profile>(profileKey(draft), origin, (before) => ({ data: addToProfile(before, sighting) }));
      for (const { kind, sort, value } of contactsOf(draft)) {
        const told = { hash: store.hashContact({ kind, value }), at };
        const index = { sort: ownerOf(draft) };
        items.change<ContactHash>(personItem(draft.clientId, ownerOf(draft), sort), origin, (before) => {
          const data = before && before.at > at ? before : told;
          return { data, index: { ...index, hash: data.hash } };
        });
      }
      return OK;
    },
  };
}

function ownerOf({ event }: Draft): string {
  return ownKeys(event)[0];
}

function profileKey(draft: Draft): ItemKey {
  return personItem(draft.clientId, ownerOf(draft), PROFILE);
}

function contactsOf({ event }: Draft) {
  if (event.event_type !== "identify") return [];
  const email = textOf(event.props?.["email"], 320);
  const phone = textOf(event.props?.["phone"], 32);
  return [
    ...(email === null ? [] : [{ kind: "email", sort: EMAIL, value: email } as const]),
    ...(phone === null ? [] : [{ kind: "phone", sort: PHONE, value: phone } as const]),
  ];
}
