import { ApplicationFailure } from "@temporalio/common";

import { errorInterceptor } from "../../../workers/error-interceptor.ts";
import { decode, encode, type Outcome, type Policy } from "./history.ts";

/** Activities by name, as a worker registers them. */
export type Activities = Record<string, (input: never) => Promise<unknown>>;

export type AttemptOutcome = Outcome & {
  /** Of a failure: whether it would be the same the next time. */
  isFinal?: boolean;
  retryAfterMs?: number;
};

/** Everything that takes seconds or minutes at Temporal is over so many times sooner: a seed lasts a minute. */
export const SCALE = 5;

export const TIMED_OUT: AttemptOutcome = { kind: "failure", failure: { message: "timed out", type: "timeout" } };

/** One attempt as the worker makes it, its own interceptor and all. */
export async function attempt(activities: Activities, name: string, input: string): Promise<AttemptOutcome> {
  const work = activities[name];
  if (!work) throw new Error(`there is no activity "${name}"`);
  try {
    const value = await errorInterceptor.execute!({ args: [decode(input)], headers: {} }, ({ args: [only] }) =>
      work(only as never),
    );
    return { kind: "value", value: encode(value) };
  } catch (error) {
    const { message, type, nonRetryable, nextRetryDelay } = error as ApplicationFailure;
    return {
      kind: "failure",
      failure: { message, type: type ?? null },
      isFinal: nonRetryable === true,
      ...(typeof nextRetryDelay === "number" && { retryAfterMs: nextRetryDelay }),
    };
  }
}

/** After this attempt. What the activity itself asked for is not scaled. */
export function pauseMs(policy: Policy, attempts: number, { retryAfterMs }: AttemptOutcome): number {
  return retryAfterMs ?? Math.min(policy.maximumMs, policy.initialMs * policy.coefficient ** (attempts - 1)) / SCALE;
}

/** What a workflow is told of it. */
export function told(outcome: AttemptOutcome): Outcome {
  return outcome.kind === "value"
    ? { kind: "value", value: outcome.value }
    : { kind: "failure", failure: outcome.failure };
}
