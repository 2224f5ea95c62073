import { isAppError } from "../../../core/errors.ts";
import type { Logger } from "../../../platform/logger.ts";
import type { ItemKey } from "../../../platform/user-store.ts";
import type { Draft, Step, StepResult, Unit } from "./step.ts";

/** An event that a step has taken out of the stream. */
export interface Rejected {
  draft: Draft;
  outcome: "drop" | "dead_letter";
  stage: string;
  reason: string;
  attempts: number;
}

const TRIES = 3;

/**
 * Takes a batch through the steps, one step after the other, and tells what came out at the end and what did not. Throws
 * only where a store is away, for the whole batch.
 */
export async function runChain(
  steps: readonly Step[],
  drafts: readonly Draft[],
  unit: Unit,
  log: Pick<Logger, "warn">,
): Promise<{ passed: Draft[]; rejected: Rejected[] }> {
  let passed = [...drafts];
  const rejected: Rejected[] = [];
  for (const step of steps) {
    const reject = (draft: Draft, failure: Failure) => {
      unit.seen.release(draft);
      unit.items.retract({ lane: draft.lane, place: draft.source });
      rejected.push({ draft, stage: step.name, ...failure });
      if (failure.outcome === "dead_letter")
        log.warn({ stage: step.name, source: draft.source, request_id: draft.requestId }, "dead letter");
    };
    passed = await fetchNeeds(step, passed, unit, reject);
    passed = passed.filter((draft) => {
      const failure = decide(step, draft, unit);
      if (failure) reject(draft, failure);
      return failure === null;
    });
  }
  return { passed, rejected };
}

type Failure = Pick<Rejected, "outcome" | "reason" | "attempts">;

async function fetchNeeds(
  step: Step,
  drafts: readonly Draft[],
  unit: Unit,
  reject: (draft: Draft, failure: Failure) => void,
): Promise<Draft[]> {
  let able = [...drafts];
  await step.prepare?.(able, unit);
  for (const need of step.needs ?? []) {
    const keys: ItemKey[] = [];
    able = able.filter((draft) => {
      try {
        keys.push(...need(draft, unit));
        return true;
      } catch (error) {
        reject(draft, failureOf(error, 1));
        return false;
      }
    });
    await unit.items.load(keys);
  }
  return able;
}

/** Null where the event goes on. */
function decide(step: Step, draft: Draft, unit: Unit): Failure | null {
  for (let attempt = 1; ; attempt++) {
    try {
      const result: StepResult = step.run(draft, unit);
      return result.outcome === "ok" ? null : { ...result, attempts: attempt };
    } catch (error) {
      if (attempt === TRIES) return failureOf(error, attempt);
    }
  }
}

/** Messages of errors, not values: a reason must not carry what the event holds. */
function failureOf(error: unknown, attempts: number): Failure {
  const reason = error instanceof Error ? `${nameOf(error)}: ${error.message}` : "threw what is no error";
  return { outcome: "dead_letter", reason, attempts };
}

/** Of our own errors the code, which tells poison from outage. */
function nameOf(error: Error): string {
  return isAppError(error) ? error.code : error.name;
}
