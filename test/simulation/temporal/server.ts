import type { Random } from "../../support/oracle-random.ts";
import type { Clock } from "../clock.ts";
import { type AttemptOutcome, pauseMs, SCALE, TIMED_OUT, told } from "./attempt.ts";
import { type Activation, closingOf, type Command, encode, type Job } from "./history.ts";
import type { Workflows } from "./runtime.ts";
import { check, TASK_TIMEOUT_MS, type TaskDesk, type Worker, type WorkflowTask } from "./worker.ts";

/** One execution. Continued as new, a workflow is a chain of them under one id. */
export interface WorkflowRecord {
  readonly id: number;
  readonly workflowId: string;
  readonly workflow: string;
  /** JSON. */
  readonly input: string;
  /** The execution that this one continues. */
  readonly continues: number | null;
  readonly history: Activation[];
  state: "open" | "completed" | "failed" | "continued" | "terminated";
}

interface Open extends WorkflowRecord {
  /** What has come since the last task that was carried out. */
  jobs: Job[];
  task: { task: WorkflowTask; timeout: { cancel(): void } } | null;
  /** Who has it in memory. */
  sticky: Worker | null;
  timers: Map<number, { cancel(): void }>;
  isOffered: boolean;
  /** A task was not brought to its end: there is something to do also where nothing is new. */
  isOwed: boolean;
}

/** Temporal's own part: histories, timers, queues. It never dies, and loses nothing that it has taken. */
export interface TemporalServer {
  start(workflowId: string, workflow: string, input: unknown): void;
  /** Null where there is none, or it has ended. */
  find(workflowId: string): WorkflowRecord | null;
  signal(workflowId: string, name: string, payload: unknown): boolean;
  terminate(workflowId: string): void;
  register(worker: Worker): void;
  readonly desk: TaskDesk;
  readonly records: readonly WorkflowRecord[];
  /** What kept workflows from going on: their code, that is. */
  readonly failures: { workflowId: string; reason: string }[];
  /** Executions under way, and those whose history has not yet been played back. */
  open(): number;
}

const POLL_MS = 200;
const HAND_OVER_MS = 1;
/** How often a history is said to have become long. */
const LONG = 0.08;

export function openServer(clock: Clock, random: Random, workflows: Workflows): TemporalServer {
  const records: Open[] = [];
  const current = new Map<string, Open>();
  const workers: Worker[] = [];
  const failures: TemporalServer["failures"] = [];
  let unchecked = 0;

  function begin(workflowId: string, workflow: string, input: string, continues: number | null): void {
    const execution: Open = {
      id: records.length,
      workflowId,
      workflow,
      input,
      continues,
      history: [],
      state: "open",
      jobs: [],
      task: null,
      sticky: null,
      timers: new Map(),
      isOffered: false,
      isOwed: false,
    };
    records.push(execution);
    current.set(workflowId, execution);
    add(execution, { type: "start", workflow, input });
  }

  function add(execution: Open, job: Job): void {
    if (execution.state !== "open") return;
    execution.jobs.push(job);
    offer(execution);
  }

  /** Whoever has it in memory is asked first, dead or alive: Temporal finds out only by the time that passes. */
  function offer(execution: Open): void {
    if (execution.task || execution.isOffered || execution.state !== "open") return;
    if (execution.jobs.length === 0 && !execution.isOwed) return;
    const worker = execution.sticky ?? pickWorker();
    execution.isOffered = true;
    const hand = () => {
      execution.isOffered = false;
      if (worker) giveTo(worker, execution);
      else offer(execution);
    };
    clock.after(worker ? HAND_OVER_MS : POLL_MS, hand, null);
  }

  function pickWorker(): Worker | null {
    const [first, ...others] = workers.filter(({ proc }) => proc.state === "running");
    return first ? random.pick([first, ...others]) : null;
  }

  function giveTo(worker: Worker, execution: Open): void {
    if (execution.state !== "open") return;
    const task = newTask(execution, random.chance(LONG));
    execution.sticky = worker;
    clock.after(0, () => void worker.carryOut(task), worker.proc);
  }

  function newTask(execution: Open, isLong: boolean): WorkflowTask {
    const task = {
      executionId: execution.id,
      history: execution.history.slice(),
      jobs: execution.jobs.slice(),
      nowMs: clock.wallMs(),
      isLong,
    };
    const timeout = clock.after(TASK_TIMEOUT_MS, () => forget(execution), null);
    execution.task = { task, timeout };
    execution.isOwed = false;
    return task;
  }

  /** To be done again, by whoever, from the history alone. */
  function forget(execution: Open): void {
    execution.task?.timeout.cancel();
    execution.task = null;
    execution.sticky = null;
    execution.isOwed = true;
    offer(execution);
  }

  function accept(execution: Open, { jobs }: WorkflowTask, activations: Activation[]): void {
    execution.task?.timeout.cancel();
    execution.task = null;
    execution.jobs.splice(0, jobs.length);
    execution.history.push(...activations);
    for (const { commands } of activations) for (const command of commands) apply(execution, command);
  }

  function apply(execution: Open, command: Command): void {
    switch (command.type) {
      case "activity":
        return perform(execution, command, 1);
      case "timer": {
        const { seq, ms } = command;
        // By Temporal's own clock, which nobody sets.
        const fire = () => {
          execution.timers.delete(seq);
          add(execution, { type: "timer", seq });
        };
        return void execution.timers.set(seq, clock.after(ms, fire, null));
      }
      case "cancel_timer":
        execution.timers.get(command.seq)?.cancel();
        execution.timers.delete(command.seq);
        // One that has just fired, and that nobody has heard.
        execution.jobs = execution.jobs.filter((job) => job.type !== "timer" || job.seq !== command.seq);
        return;
      case "complete":
        return close(execution, "completed");
      case "fail":
        return close(execution, "failed");
      case "continue_as_new":
        close(execution, "continued");
        return begin(execution.workflowId, execution.workflow, command.input, execution.id);
      default:
        return;
    }
  }

  function close(execution: Open, state: WorkflowRecord["state"]): void {
    execution.state = state;
    execution.task?.timeout.cancel();
    execution.task = null;
    for (const timer of execution.timers.values()) timer.cancel();
    unchecked++;
    clock.as(null, () => void playBack(execution));
  }

  async function playBack({ workflowId, history }: Open): Promise<void> {
    const trouble = await check(clock, workflows, history);
    unchecked--;
    if (trouble !== null) failures.push({ workflowId, reason: `played back: ${trouble}` });
  }

  function perform(execution: Open, command: Extract<Command, { type: "activity" }>, attempts: number): void {
    if (execution.state !== "open") return;
    const { seq, name, input, policy } = command;
    const worker = pickWorker();
    if (!worker) return void clock.after(POLL_MS, () => perform(execution, command, attempts), null);
    let isOver = false;
    const settle = (outcome: AttemptOutcome) => {
      if (isOver) return;
      isOver = true;
      timeout.cancel();
      if (outcome.kind === "value" || outcome.isFinal)
        return add(execution, { type: "activity", seq, outcome: told(outcome) });
      clock.after(pauseMs(policy, attempts, outcome), () => perform(execution, command, attempts + 1), null);
    };
    const timeout = clock.after(policy.startToCloseMs / SCALE, () => settle(TIMED_OUT), null);
    clock.after(HAND_OVER_MS, () => worker.perform(name, input, settle), worker.proc);
  }

  const held = (task: WorkflowTask): Open | null => {
    const execution = records[task.executionId];
    return execution?.state === "open" && execution.task?.task === task ? execution : null;
  };

  const desk: TaskDesk = {
    complete(task, activations) {
      const execution = held(task);
      if (!execution) return false;
      // No workflow ends without having heard what had come by then.
      if (closingOf(activations) && execution.jobs.length > task.jobs.length) {
        forget(execution);
        return false;
      }
      accept(execution, task, activations);
      offer(execution);
      return true;
    },
    extend(task, activations) {
      const execution = held(task);
      if (!execution) return null;
      accept(execution, task, activations);
      return newTask(execution, task.isLong);
    },
    fail(task, error) {
      const execution = held(task);
      if (!execution) return;
      failures.push({ workflowId: execution.workflowId, reason: String(error) });
      execution.state = "failed";
      execution.task?.timeout.cancel();
    },
  };

  const find = (workflowId: string): Open | null => {
    const execution = current.get(workflowId);
    return execution?.state === "open" ? execution : null;
  };

  return {
    start: (workflowId, workflow, input) => begin(workflowId, workflow, encode(input), null),
    find,
    signal(workflowId, name, payload) {
      const execution = find(workflowId);
      if (execution) add(execution, { type: "signal", name, payload: encode(payload) });
      return execution !== null;
    },
    terminate(workflowId) {
      const execution = find(workflowId);
      if (execution) close(execution, "terminated");
    },
    register: (worker) => void workers.push(worker),
    desk,
    records,
    failures,
    open: () => unchecked + records.filter(({ state }) => state === "open").length,
  };
}
