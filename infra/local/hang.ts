import { setTimeout as sleep } from "node:timers/promises";

/** When a part that is alive and silent is given up. */
export interface Patience {
  /** Checks in a row that go without an answer. */
  checks: number;
  /** What one check is given. */
  answerWithinMs: number;
  pauseMs: number;
}

/** Two minutes of silence: a machine that is merely busy answers at least once in that time. */
export const PATIENCE: Patience = { checks: 8, answerWithinMs: 10_000, pauseMs: 5_000 };

/** Asks for a sign of life. Whatever is said counts, a refusal too; only silence, by a rejection, does not. */
export type AskForLife = (withinMs: number) => Promise<unknown>;

/** True once that many checks in a row went unanswered; false once `signal` is aborted. One answer and the count begins anew. */
export async function hasHung(ask: AskForLife, patience: Patience, signal: AbortSignal): Promise<boolean> {
  for (let silent = 0; silent < patience.checks;) {
    await sleep(patience.pauseMs, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) return false;
    const answered = await answersWithin(ask, patience.answerWithinMs);
    if (signal.aborted) return false;
    silent = answered ? 0 : silent + 1;
  }
  return true;
}

export function secondsOf({ checks, answerWithinMs, pauseMs }: Patience): number {
  return Math.round((checks * (answerWithinMs + pauseMs)) / 1000);
}

/** A check that does not keep to its time is not waited for; one that fails at once takes its time too, so that silence is a length of time. */
async function answersWithin(ask: AskForLife, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, withinMs, false).unref()));
  const answer = ask(withinMs).then(
    () => true,
    () => late,
  );
  const answered = await Promise.race([answer, late]);
  clearTimeout(timer);
  return answered;
}
