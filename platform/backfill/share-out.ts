import { setTimeout as sleep } from "node:timers/promises";

/** Lets several go on side by side, each no faster than it may, all together no faster than is good for those who come after. */
export interface Shares {
  /** Resolves when `events` more of this one may go. Who asks first goes first, so all have the same share. Throws once aborted. */
  take(name: string, events: number, perSecond: number, signal: AbortSignal): Promise<void>;
}

interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const WALL: Clock = { now: () => Date.now(), sleep: (ms, signal) => sleep(ms, undefined, { signal }) };

export function createShares(perSecondTogether: number, clock: Clock = WALL): Shares {
  let togetherFreeMs = 0;
  const freeMs = new Map<string, number>();
  return {
    async take(name, events, perSecond, signal) {
      const now = clock.now();
      for (const [other, at] of freeMs) if (at <= now) freeMs.delete(other);
      const at = Math.max(now, togetherFreeMs, freeMs.get(name) ?? 0);
      // Held up by its own limit it takes nothing of the others' time.
      togetherFreeMs = Math.max(togetherFreeMs, now) + (events * 1_000) / perSecondTogether;
      freeMs.set(name, at + (events * 1_000) / perSecond);
      if (at > now) await clock.sleep(at - now, signal);
    },
  };
}
