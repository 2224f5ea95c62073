import { type Aliases, type AnonLink, anonKey, userKey } from "../../../core/stitch.ts";
import type { UserStore } from "../../../platform/user-store.ts";
import { ALIASES, LINK, personItem } from "../enrich/keys.ts";

export interface Keyed {
  client_id: string;
  person_key: string;
  person_keys: string[];
}

/**
 * Who each of them is by now: an event of a device may have been enriched before, and is looked at after, somebody logged
 * in on it. Those who are still nobody's are left out.
 */
export async function findLinked<T extends Keyed>(store: Pick<UserStore, "read">, people: readonly T[]): Promise<T[]> {
  const devices = people.filter(({ person_key }) => person_key.startsWith("anon:"));
  const links = await readItems<AnonLink>(store, devices, LINK);
  const linked = devices.flatMap((person, i) =>
    links[i] ? [{ ...person, person_key: userKey(links[i].user_id) }] : [],
  );
  const aliases = await readItems<Aliases>(store, linked, ALIASES);
  return linked.map((person, i) => {
    const others = (aliases[i]?.anon_ids ?? []).map(anonKey);
    return { ...person, person_keys: [...new Set([person.person_key, ...person.person_keys, ...others])] };
  });
}

async function readItems<Data>(
  store: Pick<UserStore, "read">,
  people: readonly Keyed[],
  sort: string,
): Promise<(Data | undefined)[]> {
  if (people.length === 0) return [];
  const items = await store.read(people.map(({ client_id, person_key }) => personItem(client_id, person_key, sort)));
  return items.map((item) => item.data as Data | undefined);
}
