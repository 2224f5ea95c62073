import { AppError } from "../../core/errors.ts";
import type { StreamProducer } from "../../platform/stream/types.ts";

export interface SinkProducer extends StreamProducer {
  /** What was appended, in order. */
  readonly appended: { lane: number; data: Buffer; events: number }[];
  /** From now on, refuses with this; null takes again. */
  fail(error: AppError | null): void;
}

/** A stream that takes everything at once and keeps it in memory. */
export function createSinkProducer(): SinkProducer {
  const appended: SinkProducer["appended"] = [];
  let failure: AppError | null = null;
  return {
    appended,
    pendingBytes: 0,
    fail(error) {
      failure = error;
    },
    append(lane, data, events) {
      if (failure) return Promise.reject(failure);
      appended.push({ lane, data: Buffer.from(data), events });
      return Promise.resolve({ shard: "shardId-000000000000", sequence: String(appended.length), index: 0 });
    },
    async close() {},
  };
}
