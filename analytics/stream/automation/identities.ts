import { sql } from "drizzle-orm";

import type { EnrichedEvent } from "../../../core/enriched-event.ts";
import type { Database } from "../../../platform/postgres/database.ts";
import type { UserStore } from "../../../platform/user-store.ts";
import { type OvertakableRun, stopOvertaken } from "./overtaken.ts";
import { openRunsOf } from "./runs.ts";
import { jsonRows } from "./sql-json.ts";
import type { StoppedRun } from "./stop-runs.ts";

interface Link {
  client_id: string;
  key: string;
  user_id: string;
  keys: string[];
}

const REMEMBERED = 20_000;

/**
 * Carries it over to contacts and open runs when a device turns out to be somebody's: their contact is then the user's, and
 * what they do under any of their keys concerns the run. Links already carried over are remembered, so that a person who is
 * logged in costs nothing.
 */
export function createIdentities({ db, store }: { db: Database; store: Pick<UserStore, "read"> }) {
  const known = new Set<string>();

  /** Links that have not been carried over yet, in one order everywhere. */
  function newLinks(events: readonly EnrichedEvent[]): { names: string[]; links: Link[] } {
    const links = new Map<string, Link>();
    for (const { client_id, person } of events) {
      if (person.user_id === null || person.keys.length < 2) continue;
      const name = JSON.stringify([client_id, person.keys]);
      if (known.has(name)) continue;
      links.set(name, { client_id, key: person.key, user_id: person.user_id, keys: person.keys });
    }
    return { names: [...links.keys()], links: [...links.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1)) };
  }

  return {
    /** Contacts; before the batch's own are written, so that what a user says now is added to what their device said. */
    async adopt(events: readonly EnrichedEvent[]): Promise<void> {
      const { links } = newLinks(events);
      if (links.length > 0) await adoptContacts(db, links);
    },
    /**
     * Runs. Answers those that are over because of what their owner had done before it was known that they are theirs.
     */
    async follow(events: readonly EnrichedEvent[]): Promise<StoppedRun[]> {
      const { names, links } = newLinks(events);
      if (links.length === 0) return [];
      // Widened first: what comes in from now on finds them, what came in before is in the profile.
      await widenRuns(db, links);
      const stopped = await stopOvertaken({ db, store }, await findRuns(db, links));
      remember(names);
      return stopped;
    },
  };

  function remember(names: Iterable<string>): void {
    for (const name of names) known.add(name);
    for (const oldest of known) {
      if (known.size <= REMEMBERED) return;
      known.delete(oldest);
    }
  }
}

const LINKS = sql.raw("as link(client_id text, key text, user_id text, keys text[])");

/** The contact of a device becomes the user's, where the user has none of their own. */
async function adoptContacts(db: Database, links: readonly Link[]): Promise<void> {
  await db.execute(sql`
    with adopted as (
      select distinct on (link.client_id, link.key) contact.id, link.key, link.user_id
      from jsonb_to_recordset(${jsonRows(links)}) ${LINKS}
      cross join lateral unnest(link.keys) as known(key)
      join contacts contact on contact.client_id = link.client_id and contact.person_key = known.key
        and contact.user_id is null
      where not exists (
        select 1 from contacts own where own.client_id = link.client_id and own.person_key = link.key)
      order by link.client_id, link.key, contact.traits_at desc
    ), once as (select distinct on (id) * from adopted order by id)
    update contacts set person_key = once.key, user_id = once.user_id, updated_at = clock_timestamp()
    from once where contacts.id = once.id`);
}

/** Never a run that is another user's: a shared device is not a shared journey. */
async function widenRuns(db: Database, links: readonly Link[]): Promise<void> {
  await db.execute(sql`
    with wider as (
      select distinct on (run.id) run.id, link.key, link.keys
      from jsonb_to_recordset(${jsonRows(links)}) ${LINKS}
      join ${openRunsOf("link.keys")} run on run.client_id = link.client_id
        and not run.person_keys @> link.keys
        and (run.person_key = link.key or not run.person_key like 'user:%')
      order by run.id, link.key
    )
    update journey_runs run set
      person_key = wider.key,
      person_keys = array(select distinct key from unnest(run.person_keys || wider.keys) as all_keys(key))
    from wider where run.id = wider.id`);
}

/** Open runs of these people, also those that an attempt at the same batch has widened already. */
async function findRuns(db: Database, links: readonly Link[]): Promise<OvertakableRun[]> {
  return db.execute<OvertakableRun & Record<string, unknown>>(sql`
    select distinct on (run.id) run.id as run_id, run.client_id, run.person_keys, run.entered_at as at,
      run.entry_event_type as event_type, version.journey -> 'exit_on' as exit_on
    from jsonb_to_recordset(${jsonRows(links)}) ${LINKS}
    join ${openRunsOf("link.keys")} run on run.client_id = link.client_id
      and run.person_keys @> array[link.key]
    join campaign_versions version on version.client_id = run.client_id
      and version.campaign_id = run.campaign_id and version.version = run.version
    order by run.id`);
}
