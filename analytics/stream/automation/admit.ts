import { sql } from "drizzle-orm";

import { allHold } from "../../../core/condition.ts";
import { journeyWorkflowId } from "../../../core/contracts/journey-id.ts";
import type { PersonFacts } from "../../../core/contracts/journey.ts";
import { factsForConditions, withEvent } from "../../../core/journey/facts.ts";
import { readPersonFacts } from "../../../platform/person-facts.ts";
import type { Database } from "../../../platform/postgres/database.ts";
import type { UserStore } from "../../../platform/user-store.ts";
import type { Entry } from "./match.ts";
import { RUN_COLUMNS, type RunRow } from "./runs.ts";
import { jsonRows } from "./sql-json.ts";

interface Deps {
  db: Database;
  store: Pick<UserStore, "read">;
}

export interface Admission {
  /** Open runs whose workflows are to be started. */
  admitted: RunRow[];
  /** Ended before they began: the event that ends them was there first. */
  overtaken: number;
  /** Not who the campaign is for. */
  audience: number;
  /** A run is open already, or the re-entry rule says no. */
  repeated: number;
}

/**
 * Writes a row for everyone who enters. The row first and the look at what the person has done meanwhile afterwards: an
 * event that ends the run either finds the row, or is found here, however the shards race.
 */
export async function admitEntries(deps: Deps, candidates: readonly Entry[]): Promise<Admission> {
  const entries = await filterAudience(deps, candidates);
  const inserted = await insertRuns(deps.db, entries);
  const ended = new Set(await stopOvertaken(deps, entries));
  const admitted = inserted.filter((run) => run["state"] === "active" && !ended.has(run.run_id));
  return {
    admitted,
    overtaken: inserted.length - admitted.length,
    audience: candidates.length - entries.length,
    repeated: entries.length - inserted.length,
  };
}

async function filterAudience(deps: Deps, entries: readonly Entry[]): Promise<Entry[]> {
  const asked = entries.filter((entry) => entry.campaign.definition.audience.length > 0);
  if (asked.length === 0) return [...entries];
  const facts = await factsOf(deps, asked);
  return entries.filter((entry) => {
    const person = facts.get(entry);
    return person === undefined || allHold(entry.campaign.definition.audience, factsForConditions(person));
  });
}

/** Locks each person first, so that two devices of theirs in two shards do not enter twice. */
async function insertRuns(db: Database, entries: readonly Entry[]): Promise<(RunRow & { state: string })[]> {
  if (entries.length === 0) return [];
  const rows = jsonRows(entries.map(toRow));
  const locks = jsonRows([
    ...new Set(entries.flatMap((entry) => entry.person_keys.map((key) => `${entry.client_id} ${key}`))),
  ]);
  return db.transaction(async (tx) => {
    await tx.execute(sql`
      select pg_advisory_xact_lock(hash) from (
        select distinct hashtextextended(name, 0) as hash from jsonb_array_elements_text(${locks}) as lock(name) order by 1
      ) locks`);
    return tx.execute<RunRow & { state: string }>(sql`
      with run as (
        insert into journey_runs (
          id, client_id, campaign_id, version, workflow_id, person_key, person_keys, entry_key, entry_event_id,
          entry_event_type, entry_props, request_id, entered_at, state, reason, stopped_by_event_id, ended_at)
        select id, client_id, campaign_id, version, workflow_id, person_key, person_keys, entry_key, event_id,
          event_type, props, request_id, at, state, reason, stopped_by, case when state <> 'active' then clock_timestamp() end
        from jsonb_to_recordset(${rows}) as entry(
          id uuid, client_id text, campaign_id text, version int, workflow_id text, person_key text, person_keys text[],
          entry_key text, event_id text, event_type text, props jsonb, request_id text, at timestamptz, state text,
          reason text, stopped_by text, rule text, cool_down_ms bigint, workflow_ids text[])
        where not exists (
          select 1 from journey_runs open where open.client_id = entry.client_id and open.state in ('active', 'held')
            and open.person_keys && entry.person_keys
            and open.campaign_id = entry.campaign_id and open.entry_key = entry.entry_key)
        and (rule = 'after_exit' or not exists (
          select 1 from journey_runs before where before.client_id = entry.client_id
            and before.workflow_id = any (entry.workflow_ids)
            and (rule = 'once' or before.entered_at > entry.at - make_interval(secs => cool_down_ms / 1000.0))))
        on conflict do nothing
        returning *)
      select run.state, ${RUN_COLUMNS} from run join campaign_versions version on version.client_id = run.client_id
        and version.campaign_id = run.campaign_id and version.version = run.version`);
  });
}

function toRow(entry: Entry): object {
  const { campaign, run_id, stopped, client_id, entry_key } = entry;
  const { campaign_id, version, re_entry } = campaign;
  const hasMemory = re_entry.rule !== "after_exit";
  return {
    id: run_id,
    client_id,
    campaign_id,
    version,
    workflow_id: entry.workflow_id,
    person_key: entry.person_key,
    person_keys: entry.person_keys,
    entry_key,
    event_id: entry.event_id,
    event_type: entry.event_type,
    props: entry.props,
    request_id: entry.request_id,
    at: entry.at,
    state: stopped === null ? "active" : "stopped",
    reason: stopped?.reason,
    stopped_by: stopped?.event_id,
    rule: re_entry.rule,
    cool_down_ms: re_entry.rule === "cool_down" ? re_entry.after_ms : 0,
    // The same person may have entered under another of their keys.
    workflow_ids: hasMemory
      ? entry.person_keys.map((key) => journeyWorkflowId(client_id, campaign_id, key, entry_key))
      : [],
  };
}

/** Ends runs whose person has already done, by the event's own time, what ends them. Answers with the runs' ids. */
async function stopOvertaken(deps: Deps, entries: readonly Entry[]): Promise<string[]> {
  const endable = entries.filter((entry) => unconditionalExits(entry).length > 0 && entry.stopped === null);
  if (endable.length === 0) return [];
  const facts = await factsOf(deps, endable);
  const overtaken = endable.flatMap((entry) => {
    const exit = unconditionalExits(entry).find(({ event_type }) => isAfterEntry(facts.get(entry)!, event_type, entry));
    return exit === undefined ? [] : [{ id: entry.run_id, reason: exit.reason }];
  });
  if (overtaken.length === 0) return [];
  const stopped = await deps.db.execute<{ id: string }>(sql`
    update journey_runs run set state = 'stopped', reason = done.reason,
      ended_at = case when run.started_at is null then clock_timestamp() end
    from jsonb_to_recordset(${jsonRows(overtaken)}) as done(id uuid, reason text)
    where run.id = done.id and run.state in ('active', 'held') returning run.id`);
  return stopped.map((run) => run.id);
}

/** What an exit asks of the event's props, a profile no longer knows: those wait for the event itself. */
function unconditionalExits({ campaign }: Entry) {
  return campaign.definition.exit_on.filter((rule) => rule.where.length === 0);
}

function isAfterEntry(person: PersonFacts, eventType: string, entry: Entry): boolean {
  if (eventType === entry.event_type) return false;
  const at = Object.hasOwn(person.last_event_at, eventType) ? person.last_event_at[eventType] : undefined;
  return at !== undefined && Date.parse(at) > Date.parse(entry.at);
}

async function factsOf({ store }: Deps, entries: readonly Entry[]): Promise<Map<Entry, PersonFacts>> {
  const people = entries.map(({ client_id, person_keys }) => ({ client_id, keys: person_keys }));
  const facts = await readPersonFacts(store, people);
  return new Map(entries.map((entry, i) => [entry, withEvent(facts[i]!, entry.event_type, entry.at)]));
}
