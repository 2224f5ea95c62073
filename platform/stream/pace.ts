import type { StreamRecord } from "./shard-reader.ts";
import type { ConsumerOptions } from "./types.ts";

const LEAST_BYTES = 64 * 1024;
/** Growth and shrinkage from one batch to the next: one slow answer is not yet a slow store. */
const MOST_CHANGE = 2;

/** How large a batch may be to take about as long as it should. */
export function createPace(options: Pick<ConsumerOptions<unknown>, "maxBatchBytes" | "targetBatchMs">) {
  const { maxBatchBytes, targetBatchMs } = options;
  let maxBytes = targetBatchMs === undefined ? maxBatchBytes : Math.min(maxBatchBytes, LEAST_BYTES * 4);
  return {
    maxBytes: () => maxBytes,
    learn(batch: readonly StreamRecord[], tookMs: number): void {
      if (targetBatchMs === undefined) return;
      const bytes = batch.reduce((sum, record) => sum + record.bytes, 0);
      const ideal = (bytes * targetBatchMs) / Math.max(tookMs, 1);
      // A small batch that was quick says nothing about large ones.
      if (ideal > maxBytes && bytes < maxBytes) return;
      const next = Math.min(maxBytes * MOST_CHANGE, Math.max(maxBytes / MOST_CHANGE, ideal));
      maxBytes = Math.min(maxBatchBytes, Math.max(LEAST_BYTES, next));
    },
  };
}
