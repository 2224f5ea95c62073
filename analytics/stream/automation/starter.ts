import { sql } from "drizzle-orm";

import type { Context } from "../../../platform/context.ts";
import type { Journeys } from "../../../platform/temporal.ts";
import { RUN_COLUMNS, type RunRow, toJourneyInput } from "./runs.ts";
import { jsonRows } from "./sql-json.ts";
import type { StoppedRun } from "./stop-runs.ts";

interface StarterDeps {
  ctx: Pick<Context, "db" | "log">;
  journeys: Pick<Journeys, "start" | "stop">;
}

/** What Temporal has still to be told. It is all in PostgreSQL as well, so nothing here need be waited for. */
export interface Starter {
  start(runs: readonly RunRow[]): void;
  stop(runs: readonly StoppedRun[]): void;
  /** Catches up with what was missed: Temporal was away, or a process died between row and workflow. */
  sweep(): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

const AT_ONCE = 32;
const SWEEP_LIMIT = 500;
/** Younger ones are in somebody's hands. */
const SWEEP_AFTER = "5 seconds";

export function createStarter({ ctx, journeys }: StarterDeps): Starter {
  const queue: (() => Promise<void>)[] = [];
  const inHand = new Set<string>();
  let lanes: Promise<void>[] = [];

  function enqueue(runId: string, task: () => Promise<void>): void {
    if (inHand.has(runId)) return;
    inHand.add(runId);
    queue.push(() =>
      task()
        .catch((error: unknown) => report(runId, error))
        .finally(() => inHand.delete(runId)),
    );
    if (lanes.length < AT_ONCE) open();
  }

  function open(): void {
    const lane = drain().finally(() => (lanes = lanes.filter((other) => other !== lane)));
    lanes.push(lane);
  }

  async function drain(): Promise<void> {
    for (let task = queue.shift(); task; task = queue.shift()) await task();
  }

  function report(runId: string, error: unknown): void {
    ctx.log.warn({ run_id: runId, err: (error as Error).message }, "Temporal not told yet");
  }

  async function start(run: RunRow): Promise<void> {
    const { run_id, workflow_id } = run;
    const outcome = await journeys.start(workflow_id, toJourneyInput(run));
    if (outcome === "busy") return endPredecessors(workflow_id);
    const [row] = await ctx.db.execute<{ state: string; reason: string | null }>(sql`
      update journey_runs set started_at = coalesce(started_at, clock_timestamp()),
        ended_at = case when state = 'stopped' then null else ended_at end
      where id = ${run_id} returning state, reason`);
    ctx.log.info({ run_id, workflow_id, request_id: run.request_id, client_id: run.client_id }, "run started");
    // It was stopped between its row and its workflow.
    if (row?.state === "stopped")
      await journeys.stop(workflow_id, { run_id, reason: row.reason ?? "stopped", event_id: null });
  }

  /** An earlier run has the workflow id still: it may not have heard that it is over. The sweep tries this one again. */
  async function endPredecessors(workflowId: string): Promise<void> {
    const rows = await ctx.db.execute<{ id: string; reason: string | null }>(sql`
      select id, reason from journey_runs where workflow_id = ${workflowId} and state = 'stopped'
      order by entered_at desc limit 5`);
    for (const { id, reason } of rows) {
      await journeys.stop(workflowId, { run_id: id, reason: reason ?? "stopped", event_id: null });
    }
  }

  async function stop(run: StoppedRun): Promise<void> {
    const { run_id, reason, event_id } = run;
    if (await journeys.stop(run.workflow_id, { run_id, reason, event_id })) return;
    // Its workflow is gone, so nobody else will write this down.
    await ctx.db.execute(sql`
      update journey_runs set ended_at = coalesce(ended_at, clock_timestamp())
      where id = any (select value::uuid from jsonb_array_elements_text(${jsonRows([run_id])}))`);
  }

  const startAll = (runs: readonly RunRow[]) => runs.forEach((run) => enqueue(run.run_id, () => start(run)));
  // Also one that is not known to have been started: it has a workflow where only the answer to that was lost.
  const stopAll = (runs: readonly StoppedRun[]) =>
    runs.forEach((run) => enqueue(`stop ${run.run_id}`, () => stop(run)));

  return {
    start: startAll,
    stop: stopAll,
    async sweep() {
      const rows = await findUnsettled(ctx);
      startAll(rows.filter((row) => row.state !== "stopped"));
      stopAll(
        rows
          .filter((row) => row.state === "stopped")
          .map((row) => ({ ...row, reason: row.reason ?? "stopped", event_id: null })),
      );
    },
    async close() {
      // What is left is in PostgreSQL: whoever sweeps next finds it.
      queue.length = 0;
      await Promise.all(lanes);
    },
  };
}

type UnsettledRun = RunRow & { state: string; reason: string | null };

function findUnsettled({ db }: Pick<Context, "db">): Promise<UnsettledRun[]> {
  return db.execute<UnsettledRun>(sql`
    select run.state, run.reason, ${RUN_COLUMNS}
    from journey_runs run join campaign_versions version on version.client_id = run.client_id
      and version.campaign_id = run.campaign_id and version.version = run.version
    where ((run.state in ('active', 'held') and run.started_at is null)
        or (run.state = 'stopped' and run.ended_at is null))
      and run.created_at < clock_timestamp() - ${SWEEP_AFTER}::interval
    order by run.created_at limit ${SWEEP_LIMIT}`);
}
