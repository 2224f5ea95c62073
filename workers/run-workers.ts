import { setTimeout as sleep } from "node:timers/promises";

import { NativeConnection, type Worker } from "@temporalio/worker";

import type { Config } from "../platform/config.ts";
import type { Logger } from "../platform/logger.ts";

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;

export interface WorkersOptions {
  config: Config;
  log: Logger;
  /** One worker for each task queue. */
  create: readonly ((connection: NativeConnection) => Promise<Worker>)[];
  /** Every time all of them poll. */
  onReady(): void;
}

/** Runs workers until told to stop: a Temporal that is not there, or goes away, is waited for. */
export function runWorkers(options: WorkersOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = keepRunning(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function keepRunning(options: WorkersOptions, signal: AbortSignal): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      await runOnce({ ...options, onReady: () => ((pauseMs = FIRST_PAUSE_MS), options.onReady()) }, signal);
    } catch (error) {
      options.log.warn({ err: (error as Error).message }, "no workers: trying again");
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
  }
}

async function runOnce({ config, create, onReady }: WorkersOptions, signal: AbortSignal): Promise<void> {
  const connection = await NativeConnection.connect({ address: config.LIVORA_TEMPORAL_ADDRESS });
  try {
    const workers = await Promise.all(create.map((createWorker) => createWorker(connection)));
    const shutDown = () => workers.forEach((worker) => worker.getState() === "RUNNING" && worker.shutdown());
    // When one of them fails, none goes on: they are made again together.
    const runs = workers.map((worker) => worker.run().finally(shutDown));
    signal.addEventListener("abort", shutDown, { once: true });
    if (signal.aborted) shutDown();
    else onReady();
    const ends = await Promise.allSettled(runs);
    signal.removeEventListener("abort", shutDown);
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason;
  } finally {
    await connection.close();
  }
}
