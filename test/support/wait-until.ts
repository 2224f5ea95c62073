import { setTimeout as sleep } from "node:timers/promises";

/** Waits for something to become so; what never does fails the test with a word of it. */
export async function waitUntil(
  holds: () => boolean | Promise<boolean>,
  { timeoutMs = 60_000, what = String(holds) }: { timeoutMs?: number; what?: string } = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await sleep(15);
  }
}
