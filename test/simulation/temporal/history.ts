/**
 * What Temporal keeps of a workflow: everything that it was ever told, and what its code answered to it. Payloads are
 * JSON text: nothing that one side holds is the other's.
 */
export type Job =
  | { type: "start"; workflow: string; input: string }
  | { type: "signal"; name: string; payload: string }
  | { type: "timer"; seq: number }
  | { type: "activity"; seq: number; outcome: Outcome }
  | { type: "local_activity"; seq: number; outcome: Outcome | Backoff };

export type Outcome = { kind: "value"; value: string } | { kind: "failure"; failure: Failure };

/** A local activity is to be tried again, by a timer of the workflow's own. */
export interface Backoff {
  kind: "backoff";
  attempt: number;
  ms: number;
}

export interface Failure {
  message: string;
  type: string | null;
}

/** How an activity is tried. In real milliseconds, as the workflow says it. */
export interface Policy {
  startToCloseMs: number;
  initialMs: number;
  maximumMs: number;
  coefficient: number;
  /** Of local activities: what would wait longer waits by a timer. */
  localThresholdMs: number;
}

export type Command =
  | { type: "activity"; seq: number; name: string; input: string; policy: Policy }
  | { type: "local_activity"; seq: number; name: string; input: string; policy: Policy; attempt: number }
  | { type: "timer"; seq: number; ms: number }
  | { type: "cancel_timer"; seq: number }
  | { type: "attributes"; values: string }
  | { type: "patch"; id: string }
  | { type: "complete"; result: string }
  | { type: "fail"; failure: Failure }
  | { type: "continue_as_new"; input: string };

/** One look of the workflow's code at what is new. */
export interface Activation {
  /** What `Date.now()` says meanwhile. */
  nowMs: number;
  /** Temporal finds that the history has become long. */
  isLong: boolean;
  jobs: Job[];
  commands: Command[];
}

const CLOSING = new Set<Command["type"]>(["complete", "fail", "continue_as_new"]);

/** What ends the execution, if it has ended. */
export function closingOf(activations: readonly Activation[]): Command | undefined {
  return activations.at(-1)?.commands.find((command) => CLOSING.has(command.type));
}

export function encode(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

export function decode(text: string): unknown {
  return JSON.parse(text);
}

/** In the order in which a workflow hears of them: signals before answers. */
export function inOrder(jobs: readonly Job[]): Job[] {
  const rank = ({ type }: Job) => (type === "start" ? 0 : type === "signal" ? 1 : 2);
  return jobs.toSorted((a, b) => rank(a) - rank(b));
}
