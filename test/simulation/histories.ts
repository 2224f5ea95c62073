import {
  type EventsSignal,
  JOURNEY_WORKFLOW,
  type JourneyActivities,
  type JourneyInput,
  type RunEnd,
  type SendOutcome,
  type SendRequest,
  SIGNALS,
  type StopSignal,
} from "../../core/contracts/journey.ts";
import { type Activation, type Command, decode, type Job } from "./temporal/history.ts";
import type { WorkflowRecord } from "./temporal/server.ts";

/** What a run's workflow must never do, whatever came to it and whoever carried it out, read off its own history. */
export function judgeHistories(records: readonly WorkflowRecord[]): string[] {
  const journeys = records.filter(({ workflow }) => workflow === JOURNEY_WORKFLOW);
  const successors = new Map(journeys.map((record) => [record.continues, record]));
  return journeys
    .filter(({ continues }) => continues === null)
    .flatMap((first) => {
      const chain = [first];
      for (let next = successors.get(first.id); next; next = successors.get(next.id)) chain.push(next);
      return judgeRun(chain);
    });
}

interface Run {
  input: JourneyInput;
  isStopped: boolean;
  /** Of another hash than the run began with. */
  isOther: boolean;
  /** Reasons that a stop may have. */
  reasons: Set<string>;
  /** Message nodes that need not be asked for again, and what is under way. */
  settled: Set<string>;
  asked: Map<string, Command>;
  violations: string[];
}

function judgeRun(chain: readonly WorkflowRecord[]): string[] {
  const input = decode(chain[0]!.input) as JourneyInput;
  const run: Run = {
    input,
    isStopped: false,
    isOther: false,
    reasons: new Set(),
    settled: new Set(),
    asked: new Map(),
    violations: [],
  };
  for (const record of chain) {
    const { run_id } = decode(record.input) as JourneyInput;
    if (run_id !== input.run_id) run.violations.push(`goes on as ${run_id}`);
    for (const activation of record.history) {
      for (const job of activation.jobs) hear(run, `${record.id}`, job);
      for (const command of activation.commands) judgeCommand(run, `${record.id}`, activation, command);
    }
  }
  return run.violations.map((what) => `run ${input.run_id}: ${what}`);
}

function hear(run: Run, execution: string, job: Job): void {
  if (job.type === "signal") return hearSignal(run, job);
  if (job.type !== "activity" && job.type !== "local_activity") return;
  const command = run.asked.get(`${execution} ${job.seq}`);
  if (!command || !("name" in command) || job.outcome.kind !== "value") return;
  const value = decode(job.outcome.value);
  if (command.name === ("loadDefinition" satisfies keyof JourneyActivities))
    run.isOther = (value as { hash: string }).hash !== run.input.definition_hash;
  if (command.name !== ("sendMessage" satisfies keyof JourneyActivities)) return;
  const { node_id } = decode(command.input) as SendRequest;
  const outcome = value as SendOutcome;
  if (outcome.outcome === "stopped") run.reasons.add(outcome.reason);
  if (outcome.outcome !== "held" && outcome.outcome !== "limited") run.settled.add(node_id);
}

function hearSignal(run: Run, { name, payload }: Extract<Job, { type: "signal" }>): void {
  const signal = decode(payload) as StopSignal | EventsSignal;
  if (signal.run_id !== run.input.run_id || name !== SIGNALS.stop) return;
  run.isStopped = true;
  run.reasons.add((signal as StopSignal).reason);
}

function judgeCommand(run: Run, execution: string, { jobs }: Activation, command: Command): void {
  const complain = (what: string) => void run.violations.push(what);
  if ("seq" in command) run.asked.set(`${execution} ${command.seq}`, command);
  const name = "name" in command ? command.name : command.type;
  const isRetry = jobs.some((job) => job.type === "local_activity" && job.outcome.kind === "backoff");
  const begins = ["sendMessage", "readPerson", "continue_as_new"].includes(name) || (name === "timer" && !isRetry);
  if (begins && run.isStopped) complain(`begins ${name} after it has heard that it is stopped`);
  if (begins && run.isOther) complain(`begins ${name} with another definition than it began with`);
  if (name === "sendMessage") {
    const { node_id } = decode((command as { input: string }).input) as SendRequest;
    if (run.settled.has(node_id)) complain(`asks for the message ${node_id} again, which had its answer`);
  }
  if (name === "endRun") judgeEnd(run, decode((command as { input: string }).input) as RunEnd, complain);
}

function judgeEnd(run: Run, { state, reason }: RunEnd, complain: (what: string) => void): void {
  if (state === "stopped" && !run.reasons.has(reason)) complain(`is stopped (${reason}), and nobody has stopped it`);
  if (run.isOther && (state !== "failed" || reason !== "definition_changed"))
    complain(`ends as ${state} (${reason}) with another definition than it began with`);
}
