import { Client, Connection } from "@temporalio/client";

import { JOURNEY_WORKFLOW, type RunStatus, SEARCH_ATTRIBUTES, WHERE_QUERY } from "../../core/contracts/journey.ts";
import type { Livora } from "./livora.ts";
import { withPostgres } from "./oracle-evidence.ts";
import { waitUntil } from "./wait-until.ts";

export interface RunRow {
  id: string;
  workflow_id: string;
  state: string;
  reason: string | null;
  stopped_by_event_id: string | null;
}

/** The runs of one campaign of one person, oldest first. */
function readRuns(livora: Livora, campaign: string, personKey: string): Promise<RunRow[]> {
  return withPostgres(
    livora.postgres,
    (sql) => sql<RunRow[]>`
      select id, workflow_id, state, reason, stopped_by_event_id from journey_runs
      where client_id = ${livora.client_id} and campaign_id = ${campaign} and ${personKey} = any(person_keys)
      order by entered_at`,
  );
}

/** The person's only run of the campaign, once it is as `isAwaited` wants it. */
export async function waitForRun(
  livora: Livora,
  campaign: string,
  personKey: string,
  isAwaited: (run: RunRow) => boolean = () => true,
): Promise<RunRow> {
  let found: RunRow[] = [];
  const isThere = async () => {
    found = await readRuns(livora, campaign, personKey);
    return found.some(isAwaited);
  };
  await waitUntil(isThere, { what: `a run of ${campaign} for ${personKey}` }).catch((error: Error) => {
    throw new Error(`${error.message}; there is ${JSON.stringify(found)}`);
  });
  if (found.length !== 1) throw new Error(`${found.length} runs instead of one`);
  return found[0] as RunRow;
}

/** What Temporal, and with it Temporal Web, says about runs. */
export interface RunViewer {
  where(run: RunRow): Promise<RunStatus>;
  /** Markdown that Temporal Web shows beside a run. */
  currentDetails(run: RunRow): Promise<string>;
  /** Workflow ids, as a list filtered by search attributes finds them. */
  list(filter: Partial<Record<keyof typeof SEARCH_ATTRIBUTES, string>>): Promise<string[]>;
  close(): Promise<void>;
}

export async function viewRuns(livora: Livora): Promise<RunViewer> {
  const connection = await Connection.connect({ address: livora.endpoints.temporal_address });
  const { workflow } = new Client({ connection });
  return {
    where: (run) => workflow.getHandle(run.workflow_id).query<RunStatus>(WHERE_QUERY),
    async currentDetails(run) {
      const metadata = await workflow
        .getHandle(run.workflow_id)
        .query<{ currentDetails?: string }>("__temporal_workflow_metadata");
      return metadata.currentDetails ?? "";
    },
    async list(filter) {
      const terms = Object.entries(filter).map(
        ([name, value]) => `${SEARCH_ATTRIBUTES[name as keyof typeof SEARCH_ATTRIBUTES]} = '${value}'`,
      );
      const query = [`WorkflowType = '${JOURNEY_WORKFLOW}'`, ...terms].join(" AND ");
      const found: string[] = [];
      for await (const execution of workflow.list({ query })) found.push(execution.workflowId);
      return found;
    },
    close: () => connection.close(),
  };
}
