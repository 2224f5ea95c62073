import type { JourneyActivities, JourneyInput } from "../../core/contracts/journey.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import type { JourneyDefinition } from "../../core/journey/definition.ts";
import { type Effect, type RunInput, type RunState, step } from "../../core/journey/reducer.ts";
import type { Journeys } from "../../platform/temporal.ts";
import type { Random } from "../support/oracle-random.ts";
import type { Clock, Proc } from "./clock.ts";
import type { Network } from "./network.ts";

/**
 * What Temporal promises, and what it does not: a workflow's state and timers outlive every process; an activity runs at
 * least once, on some worker, again after a time-out although the first may still be at it; a signal arrives once.
 * A replay ends where the workflow stood, so a workflow is here one run of its code that no crash touches.
 */
export interface ModelTemporal {
  connect(network: Network): Journeys;
  /** A worker polls the queue as long as its process runs. */
  register(proc: Proc, activities: JourneyActivities): void;
  /** How many workflows have not ended. */
  open(): number;
  /** Workflows that met what they cannot go on with. */
  readonly failures: { workflowId: string; reason: string }[];
}

interface Execution {
  workflowId: string;
  input: JourneyInput;
  inbox: RunInput[];
  wake: (() => void) | null;
  isOver: boolean;
}

/** `startToCloseTimeout`, scaled down: nobody here takes so long without being dead. */
const ACTIVITY_TIMEOUT_MS = 12_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8_000;
const POLL_MS = 200;
const FINAL = new Set(["invalid", "forbidden", "not_found"]);

const failure = () => new AppError("unavailable", "Temporal is away.");

export function createModelTemporal(clock: Clock, random: Random, server: Network): ModelTemporal {
  const executions = new Map<string, Execution>();
  const workers: { proc: Proc; activities: JourneyActivities }[] = [];
  const failures: ModelTemporal["failures"] = [];

  function start(workflowId: string, input: JourneyInput): Execution {
    const execution: Execution = { workflowId, input, inbox: [], wake: null, isOver: false };
    executions.set(workflowId, execution);
    clock.as(null, () => void run(execution));
    return execution;
  }

  function tell(workflowId: string, runId: string, inputs: readonly RunInput[]): boolean {
    const execution = executions.get(workflowId);
    if (!execution || execution.isOver) return false;
    if (execution.input.run_id === runId) {
      execution.inbox.push(...inputs);
      const { wake } = execution;
      execution.wake = null;
      if (wake) clock.after(1, wake, null);
    }
    return true;
  }

  async function run(execution: Execution): Promise<void> {
    try {
      await travel(execution);
    } catch (error) {
      failures.push({ workflowId: execution.workflowId, reason: String(error) });
    }
    execution.isOver = true;
  }

  /** As `workflows/journey/journey.ts` drives the reducer. */
  async function travel(execution: Execution): Promise<void> {
    const { input } = execution;
    const { client_id, campaign_id, version, run_id } = input;
    const { definition, hash } = await perform("loadDefinition", { client_id, campaign_id, version });
    if (hash !== input.definition_hash) throw new Error("definition_changed");
    let { state } = step(definition, null, { type: "start", entry: input.entry }, clock.wallMs());
    for (;;) {
      for (let heard = execution.inbox.shift(); heard; heard = execution.inbox.shift())
        state = take(definition, state, heard);
      const { pending } = state;
      if (pending.type === "end") {
        const { reason, node_id } = pending;
        return void (await perform("endRun", { client_id, run_id, state: pending.state, reason, node_id }));
      }
      state = take(definition, state, await carryOut(execution, state, pending));
    }
  }

  function take(definition: JourneyDefinition, state: RunState, input: RunInput): RunState {
    return step(definition, state, input, clock.wallMs()).state;
  }

  async function carryOut(
    execution: Execution,
    state: RunState,
    effect: Exclude<Effect, { type: "end" }>,
  ): Promise<RunInput> {
    const { client_id, campaign_id, version, run_id, request_id } = execution.input;
    switch (effect.type) {
      case "wait":
        await wait(execution, effect.until_ms);
        return { type: "timer" };
      case "read_person":
        return { type: "person", id: effect.id, facts: await perform("readPerson", { client_id, run_id }) };
      default: {
        const { channel, template, node_id } = effect;
        const decided_at = new Date(state.now_ms).toISOString();
        const request = { client_id, campaign_id, version, run_id, node_id, channel, template, decided_at, request_id };
        return { type: "sent", id: effect.id, outcome: await perform("sendMessage", request) };
      }
    }
  }

  function wait(execution: Execution, untilMs: number | null): Promise<void> {
    if (execution.inbox.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      execution.wake = resolve;
      // By Temporal's own clock, which nobody sets.
      if (untilMs !== null) clock.after(Math.max(1, untilMs - clock.wallMs()), resolve, null);
    });
  }

  async function perform<Name extends keyof JourneyActivities>(
    name: Name,
    input: Parameters<JourneyActivities[Name]>[0],
  ): Promise<Awaited<ReturnType<JourneyActivities[Name]>>> {
    let pauseMs = FIRST_RETRY_MS;
    for (;;) {
      const worker = await findWorker();
      const outcome = await attempt(worker.proc, () =>
        (worker.activities[name] as (input: unknown) => Promise<unknown>)(input),
      );
      if ("value" in outcome) return outcome.value as Awaited<ReturnType<JourneyActivities[Name]>>;
      const { failure } = outcome;
      if (isAppError(failure) && FINAL.has(failure.code)) throw failure;
      await clock.sleep((isAppError(failure) ? failure.retryAfterMs : undefined) ?? pauseMs);
      pauseMs = Math.min(pauseMs * 2, LAST_RETRY_MS);
    }
  }

  async function findWorker() {
    for (;;) {
      const polling = workers.filter(({ proc }) => proc.state === "running");
      const [first, ...others] = polling;
      if (first) return random.pick([first, ...others]);
      await clock.sleep(POLL_MS);
    }
  }

  /** What the server hears of it: an answer, a failure, or nothing within the time. */
  function attempt(proc: Proc, work: () => Promise<unknown>): Promise<{ value: unknown } | { failure: unknown }> {
    return new Promise((resolve) => {
      const timeout = clock.after(ACTIVITY_TIMEOUT_MS, () => resolve({ failure: new Error("timed out") }), null);
      const settle = (outcome: { value: unknown } | { failure: unknown }) => {
        const report = () => {
          timeout.cancel();
          clock.as(null, () => resolve(outcome));
        };
        // An answer that is lost is told again; one that comes too late is not heard.
        server.ask("activity", report, () => new Error("lost")).catch(() => undefined);
      };
      clock.after(
        1,
        () => {
          work().then(
            (value) => settle({ value }),
            (failure: unknown) => settle({ failure }),
          );
        },
        proc,
      );
    });
  }

  function connect(network: Network): Journeys {
    const call = <T>(serve: () => T) => network.ask("temporal", serve, failure);
    return {
      start: (workflowId, input) =>
        call(() => {
          const running = executions.get(workflowId);
          if (running && !running.isOver) return running.input.run_id === input.run_id ? "started" : "busy";
          start(workflowId, input);
          return "started";
        }),
      stop: (workflowId, { run_id, reason }) => call(() => tell(workflowId, run_id, [{ type: "stop", reason }])),
      resume: (workflowId, { run_id }) => call(() => tell(workflowId, run_id, [{ type: "resume" }])),
      tell: (workflowId, { run_id, events }) =>
        call(() =>
          tell(
            workflowId,
            run_id,
            events.map((event) => ({ type: "event", event })),
          ),
        ),
      startAndTell: (workflowId, input, { run_id, events }) =>
        call(() => {
          const running = executions.get(workflowId);
          if (!running || running.isOver) start(workflowId, input);
          tell(
            workflowId,
            run_id,
            events.map((event) => ({ type: "event", event })),
          );
        }),
      close: async () => undefined,
    };
  }

  return {
    connect,
    register: (proc, activities) => void workers.push({ proc, activities }),
    open: () => [...executions.values()].filter(({ isOver }) => !isOver).length,
    failures,
  };
}
