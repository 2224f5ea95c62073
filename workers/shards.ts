import { WorkflowClient, WorkflowIdConflictPolicy } from "@temporalio/client";
import type { NativeConnection, Worker } from "@temporalio/worker";

import { createScalingActivities } from "../activities/shard-scaling.ts";
import { SCALING_TASK_QUEUE, SCALING_WORKFLOW, scalingId, type ScalingInput } from "../core/contracts/shard-scaling.ts";
import { DEFAULT_POLICY } from "../core/shard-scaling.ts";
import { STREAM_CONSUMERS, STREAM_KINDS, type StreamKind } from "../core/stream-consumers.ts";
import type { Config } from "../platform/config.ts";
import type { Context } from "../platform/context.ts";
import { streamOf } from "../platform/stream/stream-name.ts";
import { createWorker } from "./create-worker.ts";

const LOOK_EVERY_MS = 30_000;

/** The task queue "shards" (tests have their own), and the workflow that looks after each stream. The caller runs and shuts down the worker. */
export async function createShardsWorker(
  ctx: Pick<Context, "config" | "dynamodb" | "kinesis" | "log">,
  connection: NativeConnection,
  taskQueue: string = SCALING_TASK_QUEUE,
): Promise<Worker> {
  const namespace = ctx.config.LIVORA_TEMPORAL_NAMESPACE;
  const workflows = new WorkflowClient({ connection, namespace });
  await Promise.all(STREAM_KINDS.map((kind) => ensureScaling(workflows, taskQueue, scalingInput(ctx.config, kind))));
  return createWorker(ctx, connection, {
    taskQueue,
    workflows: "shards.ts",
    activities: createScalingActivities(ctx),
  });
}

/** Once it runs it is the operator's: mode and bounds stay as they were last set. */
async function ensureScaling(workflows: WorkflowClient, taskQueue: string, input: ScalingInput): Promise<void> {
  await workflows.start(SCALING_WORKFLOW, {
    workflowId: scalingId(input.stream),
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  });
}

/** Never fewer shards than the stream was made with. */
function scalingInput(config: Config, kind: StreamKind): ScalingInput {
  const { LIVORA_STREAM_SHARDS: min_shards, LIVORA_STREAM_MAX_SHARDS: max_shards } = config;
  return {
    stream: streamOf(config, kind),
    consumers: STREAM_CONSUMERS[kind],
    mode: config.LIVORA_SHARD_SCALING,
    policy: { ...DEFAULT_POLICY, min_shards: Math.min(min_shards, max_shards), max_shards },
    look_every_ms: LOOK_EVERY_MS,
  };
}
