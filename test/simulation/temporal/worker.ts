import type { Random } from "../../support/oracle-random.ts";
import type { Clock, Proc } from "../clock.ts";
import type { Network } from "../network.ts";
import { type Activities, attempt, type AttemptOutcome, pauseMs, SCALE, TIMED_OUT, told } from "./attempt.ts";
import { type Activation, closingOf, type Command, inOrder, type Job } from "./history.ts";
import { type Execution, replay, type Workflows } from "./runtime.ts";

/** What is new for a workflow, for one worker to look at, in time. */
export interface WorkflowTask {
  executionId: number;
  history: readonly Activation[];
  jobs: readonly Job[];
  nowMs: number;
  isLong: boolean;
}

/** Where a worker reports. */
export interface TaskDesk {
  /** False: the task is no longer this worker's, or something has come meanwhile that must be heard first. */
  complete(task: WorkflowTask, activations: Activation[]): boolean;
  /** The worker is still at it; the task that it goes on with. Null: it is no longer this worker's. */
  extend(task: WorkflowTask, activations: Activation[]): WorkflowTask | null;
  /** The workflow's code cannot go on. */
  fail(task: WorkflowTask, error: unknown): void;
}

export interface Worker {
  readonly proc: Proc;
  carryOut(task: WorkflowTask): Promise<void>;
  /** One attempt of an activity; the outcome is told over the network, if it can be. */
  perform(name: string, input: string, tell: (outcome: AttemptOutcome) => void): void;
}

interface Cached {
  execution: Execution;
  /** Local activities under way. */
  locals: Map<number, Promise<Job>>;
}

export const TASK_TIMEOUT_MS = 10_000 / SCALE;
const HEARTBEAT_MS = 0.8 * TASK_TIMEOUT_MS;
const REPORT_AGAIN_MS = 100;
const REPORTS = 3;
/** How often a workflow is put out of memory, and has to be played back from its history. */
const FORGOTTEN = 0.2;

interface Parts {
  clock: Clock;
  random: Random;
  network: Network;
  workflows: Workflows;
  activities: Activities;
  desk: TaskDesk;
}

/** Belongs to the process that opens it: what it has in memory is gone with that. */
export function openWorker({ clock, random, network, workflows, activities, desk }: Parts, proc: Proc): Worker {
  const cache = new Map<number, Cached>();

  /** Whoever carries out a task has the execution for itself. */
  async function recall({ executionId, history }: WorkflowTask): Promise<Cached> {
    const cached = cache.get(executionId);
    cache.delete(executionId);
    if (cached?.execution.position === history.length) return cached;
    return { execution: await replay(clock, workflows, history), locals: new Map() };
  }

  async function carryOut(task: WorkflowTask): Promise<void> {
    try {
      const cached = await recall(task);
      const report = await advance(cached, task);
      if (report === null || !(await tell(() => desk.complete(report.task, report.fresh)))) return;
      if (!closingOf(report.fresh) && !random.chance(FORGOTTEN)) cache.set(task.executionId, cached);
    } catch (error) {
      desk.fail(task, error);
    }
  }

  /** Until the code waits for something that is not here; null where the task was lost meanwhile. */
  async function advance({ execution, locals }: Cached, first: WorkflowTask) {
    let task = first;
    let { nowMs } = task;
    let jobs = inOrder(task.jobs);
    let fresh: Activation[] = [];
    for (;;) {
      const activation = { nowMs, isLong: task.isLong, jobs };
      if (jobs.length > 0) fresh.push({ ...activation, commands: await execution.activate(activation) });
      if (closingOf(fresh) || execution.openLocals.size === 0) return { task, fresh };
      for (const [seq, command] of execution.openLocals) {
        if (!locals.has(seq)) locals.set(seq, performLocal(command));
      }
      const job = await Promise.race([...locals.values(), clock.sleep(HEARTBEAT_MS)]);
      if (job) {
        if ("seq" in job) locals.delete(job.seq);
        [jobs, nowMs] = [[job], clock.wallMs()];
        continue;
      }
      const told = fresh;
      const extended = await tell(() => desk.extend(task, told));
      if (!extended) return null;
      task = extended;
      [fresh, jobs, nowMs] = [[], inOrder(task.jobs), task.nowMs];
    }
  }

  /** Reports until it is heard, or long enough; false as well where nobody answered. */
  async function tell<T>(serve: () => T): Promise<T | false> {
    for (let report = 0; report < REPORTS; report++) {
      try {
        return await network.ask("workflow_task", serve, (kind) => new Error(kind));
      } catch {
        await clock.sleep(REPORT_AGAIN_MS);
      }
    }
    return false;
  }

  async function performLocal(command: Extract<Command, { type: "local_activity" }>): Promise<Job> {
    const { seq, name, input, policy } = command;
    for (let attempts = command.attempt; ; attempts++) {
      const timeout = clock.sleep(policy.startToCloseMs / SCALE).then(() => TIMED_OUT);
      const outcome = await Promise.race([attempt(activities, name, input), timeout]);
      if (outcome.kind === "value" || outcome.isFinal) return { type: "local_activity", seq, outcome: told(outcome) };
      const ms = pauseMs(policy, attempts, outcome);
      if (ms > policy.localThresholdMs / SCALE)
        return { type: "local_activity", seq, outcome: { kind: "backoff", attempt: attempts + 1, ms } };
      await clock.sleep(ms);
    }
  }

  return {
    proc,
    carryOut,
    perform(name, input, tellServer) {
      void attempt(activities, name, input).then((outcome) =>
        // An answer that is lost is told again by Temporal's client; one that comes too late is not heard.
        network
          .ask(
            "activity",
            () => tellServer(outcome),
            () => new Error("lost"),
          )
          .catch(() => undefined),
      );
    },
  };
}

/** Whether the code, run from its beginning, does what it did: what every worker needs that takes over. */
export async function check(
  clock: Clock,
  workflows: Workflows,
  history: readonly Activation[],
): Promise<string | null> {
  try {
    await replay(clock, workflows, history);
    return null;
  } catch (error) {
    return String(error);
  }
}
