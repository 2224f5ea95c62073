import { sql } from "drizzle-orm";

import type { PersonFacts } from "../../../core/contracts/journey.ts";
import type { ExitRule } from "../../../core/journey/definition.ts";
import { readPersonFacts } from "../../../platform/person-facts.ts";
import type { Database } from "../../../platform/postgres/database.ts";
import type { UserStore } from "../../../platform/user-store.ts";
import { jsonRows } from "./sql-json.ts";
import type { StoppedRun } from "./stop-runs.ts";

/** A run, as far as what its person has done may have ended it already. */
export interface OvertakableRun {
  run_id: string;
  client_id: string;
  person_keys: readonly string[];
  /** When and by what it was entered. */
  at: string;
  event_type: string;
  exit_on: readonly ExitRule[];
}

/** Ends runs whose person has already done, by the event's own time, what ends them. */
export async function stopOvertaken(
  { db, store }: { db: Database; store: Pick<UserStore, "read"> },
  runs: readonly OvertakableRun[],
): Promise<StoppedRun[]> {
  const endable = runs.filter((run) => unconditionalExits(run).length > 0);
  if (endable.length === 0) return [];
  const people = endable.map(({ client_id, person_keys }) => ({ client_id, keys: person_keys }));
  const facts = await readPersonFacts(store, people);
  const overtaken = endable.flatMap((run, i) => {
    const exit = unconditionalExits(run).find(({ event_type }) => isAfterEntry(facts[i]!, event_type, run));
    if (exit === undefined) return [];
    // A profile knows of other types only when they happened, not which event it was.
    const event_id = exit.event_type === "purchase" ? (facts[i]!.last_purchase_id ?? null) : null;
    return [{ id: run.run_id, reason: exit.reason, event_id }];
  });
  if (overtaken.length === 0) return [];
  return db.execute<StoppedRun>(sql`
    update journey_runs run set state = 'stopped', reason = done.reason, stopped_by_event_id = done.event_id,
      ended_at = case when run.started_at is null then clock_timestamp() end
    from jsonb_to_recordset(${jsonRows(overtaken)}) as done(id uuid, reason text, event_id text)
    where run.id = done.id and run.state in ('active', 'held')
    returning run.id as run_id, run.workflow_id, run.reason, run.stopped_by_event_id as event_id`);
}

/** What an exit asks of the event's props, a profile no longer knows: those wait for the event itself. */
function unconditionalExits({ exit_on }: OvertakableRun): ExitRule[] {
  return exit_on.filter((rule) => rule.where.length === 0);
}

function isAfterEntry(person: PersonFacts, eventType: string, run: OvertakableRun): boolean {
  if (eventType === run.event_type) return false;
  const at = Object.hasOwn(person.last_event_at, eventType) ? person.last_event_at[eventType] : undefined;
  return at !== undefined && Date.parse(at) > Date.parse(run.at);
}
