import { sql } from "drizzle-orm";

import { allHold } from "../../../core/condition.ts";
import { journeyWorkflowId } from "../../../core/contracts/journey-id.ts";
import type { PersonFacts } from "../../../core/contracts/journey.ts";
import { factsForConditions, withEvent } from "../../../core/journey/facts.ts";
import { readPersonFacts } from "../../../platform/person-facts.ts";
import type { Database } from "../../../platform/postgres/database.ts";
import type { UserStore } from "../../../platform/user-store.ts";
import { findLinked } from "./linked-keys.ts";
import type { Entry } from "./match.ts";
import { stopOvertaken } from "./overtaken.ts";
import { openRunsOf, RUN_COLUMNS, type RunRow } from "./runs.ts";
import { jsonRows } from "./sql-json.ts";
import type { StoppedRun } from "./stop-runs.ts";

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
  const ended = new Set((await catchUp(deps, entries)).map((run) => run.run_id));
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
    if (person === undefined) return true;
    return allHold(entry.campaign.definition.audience, factsForConditions(person, Date.parse(entry.at)));
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
          select 1 from ${openRunsOf("entry.person_keys")} open where open.client_id = entry.client_id
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

/**
 * The person may have logged in, and may have done what ends the run, before its row was there to be found: looked at
 * once it is there. Answers the runs that are over.
 */
async function catchUp(deps: Deps, entries: readonly Entry[]): Promise<StoppedRun[]> {
  const open = entries.filter((entry) => entry.stopped === null);
  const linked = new Map((await findLinked(deps.store, open)).map((entry) => [entry.run_id, entry]));
  if (linked.size > 0) await widenRuns(deps.db, [...linked.values()]);
  const runs = open.map((entry) => ({
    ...(linked.get(entry.run_id) ?? entry),
    exit_on: entry.campaign.definition.exit_on,
  }));
  return stopOvertaken(deps, runs);
}

async function widenRuns(db: Database, linked: readonly Entry[]): Promise<void> {
  const rows = linked.map(({ run_id, person_key, person_keys }) => ({ run_id, person_key, person_keys }));
  await db.execute(sql`
    update journey_runs run set person_key = link.person_key, person_keys = link.person_keys
    from jsonb_to_recordset(${jsonRows(rows)}) as link(run_id uuid, person_key text, person_keys text[])
    where run.id = link.run_id and not run.person_keys @> link.person_keys`);
}

async function factsOf({ store }: Deps, entries: readonly Entry[]): Promise<Map<Entry, PersonFacts>> {
  const people = entries.map(({ client_id, person_keys }) => ({ client_id, keys: person_keys }));
  const facts = await readPersonFacts(store, people);
  return new Map(entries.map((entry, i) => [entry, withEvent(facts[i]!, entry.event_type, entry.at)]));
}
