import { AsyncLocalStorage } from "node:async_hooks";

import { ActivityFailure, ApplicationFailure, RetryState } from "@temporalio/common";

import type { Clock, Proc } from "../clock.ts";
import { type Activation, type Command, decode, encode, type Failure, type Job, type Outcome } from "./history.ts";

/** One execution of a workflow in a worker's memory: what the functions of `@temporalio/workflow` work on. */
export interface Runtime {
  readonly nowMs: number;
  readonly isLong: boolean;
  /** Activations so far. */
  readonly position: number;
  handlers: Map<string, (payload: unknown) => unknown>;
  conditions: Map<number, { isMet: () => boolean; resolve: () => void }>;
  patches: Set<string>;
  handlersUnderWay: number;
  nextSeq(): number;
  command(command: Command): void;
  /** Taken back before anybody heard of it. */
  retract(seq: number): boolean;
  /** Resolves with what comes in answer to that command. */
  answerTo(seq: number): Promise<Answer>;
  /** Signals that came before their handler. */
  dispatchEarly(name: string): void;
}

export type Answer = Exclude<Job, { type: "start" | "signal" }>;

/** The code has not done again what it did: a worker would refuse to go on with it. */
class NonDeterminism extends Error {}

/** Thrown by `continueAsNew`. */
export class ContinueAsNew extends Error {
  readonly input: string;
  constructor(input: unknown) {
    super("continue as new");
    this.input = encode(input);
  }
}

export type Workflows = Record<string, (input: never) => Promise<unknown>>;

export interface Execution {
  readonly position: number;
  /** Local activities that were asked for and have no answer. */
  readonly openLocals: Map<number, Extract<Command, { type: "local_activity" }>>;
  /** Lets the code see what is new; answers with what it wants. Throws where the code has thrown what is no failure. */
  activate(activation: Omit<Activation, "commands">): Promise<Command[]>;
}

const underWay = new AsyncLocalStorage<Runtime>();

/** The execution whose code asks. */
export function here(): Runtime {
  const runtime = underWay.getStore();
  if (!runtime) throw new Error("this is for workflows, while they run");
  return runtime;
}

/** A moment for the code to go on as far as it can. */
const MOMENT_MS = 0.01;

export function openExecution(clock: Clock, workflows: Workflows): Execution {
  const pending = new Map<number, (answer: Answer) => void>();
  const early: Extract<Job, { type: "signal" }>[] = [];
  const openLocals: Execution["openLocals"] = new Map();
  let commands: Command[] = [];
  let seq = 0;
  let position = 0;
  let nowMs = 0;
  let isLong = false;
  const troubles: { error: unknown }[] = [];

  const runtime: Runtime = {
    get nowMs() {
      return nowMs;
    },
    get isLong() {
      return isLong;
    },
    get position() {
      return position;
    },
    handlers: new Map(),
    conditions: new Map(),
    patches: new Set(),
    handlersUnderWay: 0,
    nextSeq: () => ++seq,
    command: (command) => void commands.push(command),
    retract(which) {
      const kept = commands.filter((command) => !("seq" in command) || command.seq !== which);
      const isRetracted = kept.length < commands.length;
      commands = kept;
      return isRetracted;
    },
    answerTo: (which) => new Promise((resolve) => pending.set(which, resolve)),
    dispatchEarly(name) {
      for (const signal of early.filter((job) => job.name === name)) {
        early.splice(early.indexOf(signal), 1);
        hear(signal);
      }
    },
  };
  const machine: Proc = { name: "workflow", state: "running", backlog: [], wallMs: () => nowMs };
  const within = <T>(work: () => T): T => clock.as(machine, () => underWay.run(runtime, work));

  function hear(signal: Extract<Job, { type: "signal" }>): void {
    const handler = runtime.handlers.get(signal.name);
    if (!handler) return void early.push(signal);
    runtime.handlersUnderWay++;
    Promise.resolve(handler(decode(signal.payload))).then(
      () => runtime.handlersUnderWay--,
      (error: unknown) => troubles.push({ error }),
    );
  }

  function take(job: Job): void {
    if (job.type === "start") return begin(job);
    if (job.type === "signal") return hear(job);
    const resolve = pending.get(job.seq);
    pending.delete(job.seq);
    openLocals.delete(job.seq);
    resolve?.(job);
  }

  function begin({ workflow, input }: Extract<Job, { type: "start" }>): void {
    const run = workflows[workflow];
    if (!run) throw new Error(`there is no workflow "${workflow}"`);
    run(decode(input) as never).then(
      (result) => runtime.command({ type: "complete", result: encode(result) }),
      (error: unknown) => {
        if (error instanceof ContinueAsNew) runtime.command({ type: "continue_as_new", input: error.input });
        else if (isFailure(error)) runtime.command({ type: "fail", failure: describe(error) });
        else troubles.push({ error });
      },
    );
  }

  /** As the SDK: after each job, and as long as somebody goes on. */
  function unblock(): boolean {
    const met = [...runtime.conditions].filter(([, condition]) => condition.isMet());
    for (const [id, { resolve }] of met) {
      runtime.conditions.delete(id);
      resolve();
    }
    return met.length > 0;
  }

  return {
    get position() {
      return position;
    },
    openLocals,
    async activate(activation) {
      ({ nowMs, isLong } = activation);
      // The workflow's function begins after the signals that came with its start have been put aside for it.
      const [start, ...others] = activation.jobs;
      const jobs = start?.type === "start" ? [...others, start] : activation.jobs;
      within(() => {
        for (const job of jobs) {
          take(job);
          while (unblock());
        }
      });
      do await clock.sleep(MOMENT_MS);
      while (within(unblock));
      const [thrown] = troubles;
      if (thrown) throw thrown.error;
      position++;
      const wanted = commands;
      commands = [];
      for (const command of wanted) if (command.type === "local_activity") openLocals.set(command.seq, command);
      return wanted;
    },
  };
}

/** What an activity's outcome is to the code that waits for it. */
export function valueOf(outcome: Outcome, name: string): unknown {
  if (outcome.kind === "value") return decode(outcome.value);
  const { message, type } = outcome.failure;
  const cause = ApplicationFailure.create({ message, ...(type !== null && { type }), nonRetryable: true });
  throw new ActivityFailure("Activity task failed", name, undefined, RetryState.NON_RETRYABLE_FAILURE, "", cause);
}

function isFailure(error: unknown): error is ApplicationFailure | ActivityFailure {
  return error instanceof ApplicationFailure || error instanceof ActivityFailure;
}

function describe(error: ApplicationFailure | ActivityFailure): Failure {
  const cause = error instanceof ActivityFailure && error.cause instanceof ApplicationFailure ? error.cause : error;
  return { message: cause.message, type: cause instanceof ApplicationFailure ? (cause.type ?? null) : null };
}

/** Runs the code again from its beginning. Throws `NonDeterminism` where it wants something else than it did. */
export async function replay(clock: Clock, workflows: Workflows, history: readonly Activation[]): Promise<Execution> {
  const execution = openExecution(clock, workflows);
  for (const [i, { commands, ...activation }] of history.entries()) {
    const wanted = encode(await execution.activate(activation));
    if (wanted !== encode(commands))
      throw new NonDeterminism(`activation ${i}: ${wanted} instead of ${encode(commands)}`);
  }
  return execution;
}
