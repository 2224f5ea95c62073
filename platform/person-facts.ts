import type { PersonFacts } from "../core/contracts/journey.ts";
import { factsOf, mergeProfiles, type Profile } from "../core/profile.ts";
import type { UserStore } from "./user-store.ts";

/** Where the enricher keeps a person's profile, under each of their keys. */
const PROFILE = "ATTR#profile";

export interface PersonKeys {
  client_id: string;
  keys: readonly string[];
}

/** What the user store knows of each person, all of their keys taken together; in the order of `people`. */
export async function readPersonFacts(
  store: Pick<UserStore, "read">,
  people: readonly PersonKeys[],
): Promise<PersonFacts[]> {
  const keys = people.flatMap(({ client_id, keys }) =>
    keys.map((owner) => ({ client: client_id, kind: "USER" as const, owner, sort: PROFILE })),
  );
  const items = keys.length === 0 ? [] : await store.read(keys);
  let from = 0;
  return people.map(({ keys }) => {
    const own = items.slice(from, (from += keys.length));
    return factsOf(mergeProfiles(own.flatMap((item) => (item.data === undefined ? [] : [item.data as Profile]))));
  });
}
