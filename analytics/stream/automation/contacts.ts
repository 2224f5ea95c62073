import { sql } from "drizzle-orm";

import type { EnrichedEvent } from "../../../core/enriched-event.ts";
import { CONTACT_TRAITS } from "../../../core/event.ts";
import type { Database } from "../../../platform/postgres/database.ts";
import { jsonRows } from "./sql-json.ts";

type Trait = (typeof CONTACT_TRAITS)[number];

/** What one person has told of themselves in a batch, the latest word of each trait. */
interface ContactUpdate extends Partial<Record<Trait, string>> {
  client_id: string;
  person_key: string;
  user_id: string | null;
  attributes: Record<string, string | number | boolean>;
  traits_at: string;
}

const MAX_TRAIT_LENGTH = 4096;
const MAX_ATTRIBUTES = 100;
const MAX_ATTRIBUTE_LENGTH = 1024;

/** Contacts from `identify`: later events win over earlier ones, in whatever order they come. */
export async function upsertContacts(db: Database, events: readonly EnrichedEvent[]): Promise<number> {
  const updates = collectUpdates(events);
  if (updates.length === 0) return 0;
  await db.execute(sql`
    insert into contacts (id, client_id, person_key, user_id, email, phone, name, push_token, locale, timezone, attributes, traits_at)
    select gen_random_uuid(), told.* from jsonb_to_recordset(${jsonRows(updates)}) as told(
      client_id text, person_key text, user_id text, email text, phone text, name text, push_token text,
      locale text, timezone text, attributes jsonb, traits_at timestamptz)
    where exists (select 1 from clients where clients.id = told.client_id)
    on conflict (client_id, person_key) do update set ${MERGE},
      user_id = coalesce(contacts.user_id, excluded.user_id),
      attributes = case when ${IS_LATER} then contacts.attributes || excluded.attributes
        else excluded.attributes || contacts.attributes end,
      traits_at = greatest(contacts.traits_at, excluded.traits_at),
      updated_at = clock_timestamp()`);
  return updates.length;
}

const IS_LATER = sql.raw("excluded.traits_at >= contacts.traits_at");
const MERGE = sql.join(
  CONTACT_TRAITS.map((trait) => {
    const [old, told] = [sql.raw(`contacts.${trait}`), sql.raw(`excluded.${trait}`)];
    return sql`${sql.raw(trait)} = case when ${IS_LATER} then coalesce(${told}, ${old}) else coalesce(${old}, ${told}) end`;
  }),
  sql`, `,
);

function collectUpdates(events: readonly EnrichedEvent[]): ContactUpdate[] {
  const updates = new Map<string, ContactUpdate>();
  for (const event of events) {
    if (event.event_type !== "identify" || event.person.key.startsWith("session:")) continue;
    const update = readTraits(event);
    const name = nameOf(update);
    const before = updates.get(name);
    updates.set(name, before === undefined ? update : mergeUpdates(before, update));
  }
  // In one order everywhere, so that two shards do not wait for each other's rows in a circle.
  return [...updates.values()].toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function nameOf({ client_id, person_key }: ContactUpdate): string {
  return JSON.stringify([client_id, person_key]);
}

function mergeUpdates(a: ContactUpdate, b: ContactUpdate): ContactUpdate {
  const [earlier, later] = a.traits_at <= b.traits_at ? [a, b] : [b, a];
  return { ...earlier, ...later, attributes: { ...earlier.attributes, ...later.attributes } };
}

function readTraits({ client_id, person, timestamp, event }: EnrichedEvent): ContactUpdate {
  const { key: person_key, user_id } = person;
  const props = event.props ?? {};
  const traits = CONTACT_TRAITS.flatMap((trait) => {
    const value = Object.hasOwn(props, trait) ? props[trait] : undefined;
    return typeof value === "string" && value.trim() !== "" ? [[trait, value.trim().slice(0, MAX_TRAIT_LENGTH)]] : [];
  });
  return {
    ...Object.fromEntries(traits),
    client_id,
    person_key,
    user_id,
    attributes: readAttributes(props),
    traits_at: timestamp,
  };
}

function readAttributes(props: Readonly<Record<string, unknown>>): ContactUpdate["attributes"] {
  const traits: readonly string[] = CONTACT_TRAITS;
  const scalars = Object.entries(props).filter(
    (entry): entry is [string, string | number | boolean] =>
      !traits.includes(entry[0]) &&
      ["string", "number", "boolean"].includes(typeof entry[1]) &&
      String(entry[1]).length <= MAX_ATTRIBUTE_LENGTH,
  );
  return Object.fromEntries(scalars.slice(0, MAX_ATTRIBUTES));
}
