import { AppError } from "../core/errors.ts";

/** What a key may send of bodies that are refused, before it has to wait. */
const BURST_BYTES = 8 * 1024 * 1024;
const BYTES_PER_SECOND = 2 * 1024 * 1024;

export interface RefusalBudget {
  /** Throws `limited` while the key has overdrawn: known before a body is read. */
  check(key: string): void;
  /** A body of `bytes`, unpacked, was refused. */
  charge(key: string, bytes: number): void;
}

/**
 * What is refused is not counted as events, but reading and checking it takes this process as long: whoever sends nothing
 * but poison would have it to itself. A key that now and then sends something wrong never notices.
 *
 * @param clock milliseconds that never go back
 */
export function createRefusalBudget(clock: () => number = () => performance.now()): RefusalBudget {
  const overdrafts = new Map<string, { bytes: number; atMs: number }>();

  /** Bytes not yet forgiven; keys that owe nothing are forgotten. */
  function owedBy(key: string): number {
    const overdraft = overdrafts.get(key);
    if (!overdraft) return 0;
    const owed = overdraft.bytes - ((clock() - overdraft.atMs) / 1_000) * BYTES_PER_SECOND;
    if (owed > 0) return owed;
    overdrafts.delete(key);
    return 0;
  }

  return {
    check(key) {
      const excess = owedBy(key) - BURST_BYTES;
      if (excess <= 0) return;
      const retryAfterMs = (excess / BYTES_PER_SECOND) * 1_000;
      throw new AppError("limited", "Too much of what this key sends is refused.", { retryAfterMs });
    },
    charge(key, bytes) {
      overdrafts.set(key, { bytes: owedBy(key) + bytes, atMs: clock() });
    },
  };
}
