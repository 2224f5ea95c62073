import type { NativeConnection, Worker } from "@temporalio/worker";

import { createDeadLetterReplayActivities, type DeadLetterReplayDeps } from "../activities/dead-letter-replay.ts";
import type { LetterStreams } from "../activities/put-letter.ts";
import { writeLetters } from "../activities/write-letters.ts";
import { DEAD_LETTERS_TASK_QUEUE } from "../core/contracts/dead-letter-replay.ts";
import type { Context } from "../platform/context.ts";
import { createLake } from "../platform/lake/lake.ts";
import { openWarehouse } from "../platform/warehouse/open-warehouse.ts";
import { createWorker } from "./create-worker.ts";
import { createProgressReader } from "./progress-reader.ts";

/** Replays spend their time waiting for a consumer. */
const CONCURRENT_ACTIVITIES = 20;
const MEMORY_LIMIT = "128MB";

/** The task queue "dead-letters". The caller runs and shuts down the worker. */
export async function createDeadLettersWorker(
  { ctx, streams }: { ctx: Context; streams: LetterStreams },
  connection: NativeConnection,
): Promise<Worker> {
  return createWorker(ctx, connection, {
    taskQueue: DEAD_LETTERS_TASK_QUEUE,
    workflows: "dead-letters.ts",
    activities: createDeadLetterReplayActivities({
      ctx,
      streams,
      writeLetters: createLetterWriter(ctx),
      readProgress: createProgressReader(ctx),
    }),
    maxConcurrentActivityTaskExecutions: CONCURRENT_ACTIVITIES,
  });
}

/** Opened for each page: between replays its memory is free. */
function createLetterWriter(ctx: Context): DeadLetterReplayDeps["writeLetters"] {
  const lake = createLake(ctx.config.LIVORA_LAKE);
  return async (letters, replay) => {
    const warehouse = openWarehouse(lake, { name: "letters", memoryLimit: MEMORY_LIMIT });
    try {
      return await writeLetters({ ctx, lake, warehouse }, letters, replay);
    } finally {
      await warehouse.close();
    }
  };
}
