import { setTimeout as sleep } from "node:timers/promises";

/** Does `work` again and again, after a pause each time, until stopped; what is under way then is waited for. `work` never rejects. */
export function repeat(pauseMs: number, work: () => Promise<void>): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = (async () => {
    while (!signal.aborted) {
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await work();
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
