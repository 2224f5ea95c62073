import { type NativeConnection, Worker } from "@temporalio/worker";

import { createDeadLetterReplayActivities } from "../activities/dead-letter-replay.ts";
import type { LetterStreams } from "../activities/put-letter.ts";
import { DEAD_LETTERS_TASK_QUEUE } from "../core/contracts/dead-letter-replay.ts";
import type { ReEntry } from "../core/dead-letter.ts";
import { AppError } from "../core/errors.ts";
import type { Context } from "../platform/context.ts";
import { createLeaseStore } from "../platform/stream/lease-store.ts";
import { streamOf } from "../platform/stream/stream-name.ts";
import { bundleWorkflows } from "./bundle.ts";
import { errorInterceptor } from "./error-interceptor.ts";

/** Replays spend their time waiting for a consumer. */
const CONCURRENT_ACTIVITIES = 20;

/** The task queue "dead-letters". The caller runs and shuts down the worker. */
export async function createDeadLettersWorker(
  { ctx, streams }: { ctx: Context; streams: LetterStreams },
  connection: NativeConnection,
): Promise<Worker> {
  return Worker.create({
    connection,
    namespace: ctx.config.LIVORA_TEMPORAL_NAMESPACE,
    taskQueue: DEAD_LETTERS_TASK_QUEUE,
    workflowBundle: await bundleWorkflows("dead-letters.ts"),
    activities: createDeadLetterReplayActivities({ ctx, streams, readProgress: createProgressReader(ctx) }),
    interceptors: { activity: [() => ({ inbound: errorInterceptor })] },
    maxConcurrentActivityTaskExecutions: CONCURRENT_ACTIVITIES,
    shutdownGraceTime: "10 s",
  });
}

function createProgressReader(ctx: Context) {
  return ({ stream, consumer }: ReEntry, shards: readonly string[]) => {
    const options = { stream: streamOf(ctx.config, stream), consumer, owner: "dead-letter-replay", leaseMs: 0 };
    return createLeaseStore(ctx, options)
      .read(shards)
      .catch((cause: unknown) => {
        throw new AppError("unavailable", "the lease table does not answer", { cause });
      });
  };
}
