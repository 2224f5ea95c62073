/**
 * Stands in for `@temporalio/workflow` where workflows run in the simulation: what they use of it, with what it promises.
 * A name that is not here is a syntax error when they are loaded.
 */
import { msToNumber } from "@temporalio/common/lib/time.js";
import type { ActivityOptions, LocalActivityOptions } from "@temporalio/workflow";

import { encode, type Policy } from "./history.ts";
import { ContinueAsNew, here, valueOf } from "./runtime.ts";

export { ActivityFailure, ApplicationFailure } from "@temporalio/common";
export { isCancellation } from "@temporalio/workflow/lib/errors.js";

interface Definition {
  type: "signal" | "query";
  name: string;
}

export const defineSignal = (name: string): Definition => ({ type: "signal", name });
export const defineQuery = (name: string): Definition => ({ type: "query", name });

export function setHandler({ type, name }: Definition, handler: (payload: unknown) => unknown): void {
  // Nobody asks here.
  if (type === "query") return;
  const runtime = here();
  runtime.handlers.set(name, handler);
  runtime.dispatchEarly(name);
}

export function allHandlersFinished(): boolean {
  return here().handlersUnderWay === 0;
}

/** Until it is so; with a time, until that has passed: then false. */
export async function condition(isMet: () => boolean, timeoutMs?: number): Promise<boolean> {
  const runtime = here();
  const timer = timeoutMs === undefined ? null : startTimer(timeoutMs);
  const id = runtime.nextSeq();
  const met = new Promise<void>((resolve) => {
    if (isMet()) resolve();
    else runtime.conditions.set(id, { isMet, resolve });
  }).then(() => true);
  if (timer === null) return met;
  try {
    return await Promise.race([timer.fired.then(() => false), met]);
  } finally {
    timer.cancel();
    runtime.conditions.delete(id);
  }
}

function startTimer(ms: number): { fired: Promise<unknown>; cancel(): void } {
  const runtime = here();
  const seq = runtime.nextSeq();
  let isOver = false;
  runtime.command({ type: "timer", seq, ms: Math.max(1, Math.round(ms)) });
  const fired = runtime.answerTo(seq).then(() => (isOver = true));
  return {
    fired,
    cancel() {
      if (!isOver && !runtime.retract(seq)) runtime.command({ type: "cancel_timer", seq });
      isOver = true;
    },
  };
}

export async function continueAsNew(input: unknown): Promise<never> {
  throw new ContinueAsNew(input);
}

export function workflowInfo(): { continueAsNewSuggested: boolean; historyLength: number } {
  const { isLong, position } = here();
  return { continueAsNewSuggested: isLong, historyLength: 3 * position };
}

export function upsertSearchAttributes(values: { key: { name: string }; value: unknown }[]): void {
  here().command({ type: "attributes", values: encode(values.map(({ key, value }) => [key.name, value])) });
}

/** For people; nothing comes of it. */
export function setCurrentDetails(_details: string): void {
  here();
}

export function patched(id: string): boolean {
  const { patches, command } = here();
  if (!patches.has(id)) command({ type: "patch", id });
  patches.add(id);
  return true;
}

/** Nobody cancels here. */
export const CancellationScope = { nonCancellable: <T>(work: () => Promise<T>): Promise<T> => work() };

type Activities = Record<string, (input: unknown) => Promise<unknown>>;

export function proxyActivities(options: ActivityOptions): Activities {
  const policy = policyOf(options);
  return proxyOf((name) => async (input) => {
    const runtime = here();
    const seq = runtime.nextSeq();
    runtime.command({ type: "activity", seq, name, input: encode(input), policy });
    const answer = await runtime.answerTo(seq);
    if (answer.type !== "activity") throw new Error(`${answer.type} is no answer to an activity`);
    return valueOf(answer.outcome, name);
  });
}

/** As the SDK: a pause that is too long for a workflow task is a timer. */
export function proxyLocalActivities(options: LocalActivityOptions): Activities {
  const policy = policyOf(options);
  return proxyOf((name) => async (input) => {
    const runtime = here();
    for (let attempt = 1; ;) {
      const seq = runtime.nextSeq();
      runtime.command({ type: "local_activity", seq, name, input: encode(input), policy, attempt });
      const answer = await runtime.answerTo(seq);
      if (answer.type !== "local_activity") throw new Error(`${answer.type} is no answer to a local activity`);
      const { outcome } = answer;
      if (outcome.kind !== "backoff") return valueOf(outcome, name);
      attempt = outcome.attempt;
      await startTimer(outcome.ms).fired;
    }
  });
}

function proxyOf(make: (name: string) => (input: unknown) => Promise<unknown>): Activities {
  return new Proxy({}, { get: (_target, name) => make(String(name)) }) as Activities;
}

const KNOWN = new Set(["startToCloseTimeout", "localRetryThreshold", "retry"]);
const KNOWN_OF_RETRY = new Set(["initialInterval", "maximumInterval", "backoffCoefficient"]);

/** Throws where a policy says something that nobody here would heed. */
function policyOf(options: ActivityOptions & LocalActivityOptions): Policy {
  const { startToCloseTimeout, localRetryThreshold = "1 minute", retry = {} } = options;
  const unknown = [
    ...Object.keys(options).filter((name) => !KNOWN.has(name)),
    ...Object.keys(retry).filter((name) => !KNOWN_OF_RETRY.has(name)),
  ];
  if (unknown.length > 0) throw new Error(`the simulation knows nothing of ${unknown.join(", ")}`);
  if (startToCloseTimeout === undefined) throw new Error("an activity needs a startToCloseTimeout");
  const initialMs = msToNumber(retry.initialInterval ?? "1 s");
  return {
    startToCloseMs: msToNumber(startToCloseTimeout),
    initialMs,
    maximumMs: retry.maximumInterval === undefined ? 100 * initialMs : msToNumber(retry.maximumInterval),
    coefficient: retry.backoffCoefficient ?? 2,
    localThresholdMs: msToNumber(localRetryThreshold),
  };
}
