import { Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";

import {
  CHANGE_UPDATE,
  type ChangeOutcome,
  CONFIGURE_UPDATE,
  type ConfigureScaling,
  type RequestedChange,
  SCALING_STATUS_QUERY,
  scalingId,
  type ScalingStatus,
} from "../core/contracts/shard-scaling.ts";
import { AppError } from "../core/errors.ts";
import type { Config } from "../platform/config.ts";
import type { Logger } from "../platform/logger.ts";
import { connectTemporal } from "../platform/temporal-connection.ts";

const QUERY_TIMEOUT_MS = 2_000;
const UPDATE_TIMEOUT_MS = 15_000;

/** Who looks after the shards of a stream (by its own name), as the API sees it. */
export interface ShardClient {
  /** Null where nobody does, or Temporal or the worker is away. */
  status(stream: string): Promise<ScalingStatus | null>;
  /** Throw `invalid`, `not_found` or `unavailable`. */
  configure(stream: string, change: ConfigureScaling): Promise<ScalingStatus>;
  change(stream: string, request: RequestedChange): Promise<ChangeOutcome>;
  close(): Promise<void>;
}

/** Connects when it is first used. */
export function connectShardClient(config: Config, log: Logger): ShardClient {
  const connection = connectTemporal(config);
  const { workflow } = new Client({ connection, namespace: config.LIVORA_TEMPORAL_NAMESPACE });
  const update = async <R, A>(stream: string, name: string, given: A): Promise<R> => {
    const handle = workflow.getHandle(scalingId(stream));
    try {
      return await connection.withDeadline(Date.now() + UPDATE_TIMEOUT_MS, () =>
        handle.executeUpdate<R, [A]>(name, { args: [given] }),
      );
    } catch (error) {
      throw toAppError(error);
    }
  };
  return {
    async status(stream) {
      try {
        return await connection.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
          workflow.getHandle(scalingId(stream)).query<ScalingStatus>(SCALING_STATUS_QUERY),
        );
      } catch (error) {
        log.debug({ stream, err: (error as Error).message }, "who looks after the shards did not answer");
        return null;
      }
    },
    configure: (stream, change) => update(stream, CONFIGURE_UPDATE, change),
    change: (stream, request) => update(stream, CHANGE_UPDATE, request),
    close: () => connection.close(),
  };
}

function toAppError(error: unknown): AppError {
  if (error instanceof WorkflowNotFoundError) {
    return new AppError("not_found", "Nobody looks after this stream: is a worker running?", { cause: error });
  }
  const { cause } = error as Error;
  if (error instanceof WorkflowUpdateFailedError && cause instanceof ApplicationFailure) {
    return new AppError("invalid", cause.message, { cause: error });
  }
  const message = "Who looks after the shards does not answer; the change may still be made: look again.";
  return new AppError("unavailable", message, { cause: error, retryAfterMs: 2_000 });
}
