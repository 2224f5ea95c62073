import type { Logger } from "./logger.ts";

/** An orchestrator kills after thirty seconds; and longer than a put to the stream may take. */
const DRAIN_MS = 25_000;

/** On SIGTERM or SIGINT ends the process by itself: with 0 once `close` is done, with 1 where that takes too long. */
export function drainOnSignal(log: Logger, close: () => Promise<void>): void {
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(signal));

  async function stop(signal: string): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, "draining");
    setTimeout(() => {
      log.error("not drained in time");
      process.exit(1);
    }, DRAIN_MS).unref();
    await close();
    log.info("stopped");
    process.exit(0);
  }
}
