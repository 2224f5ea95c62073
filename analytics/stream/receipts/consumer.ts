import { RECEIPTS_CONSUMER } from "../../../core/contracts/audit.ts";
import type { Context } from "../../../platform/context.ts";
import { createLake } from "../../../platform/lake/lake.ts";
import type { ConsumerOptions } from "../../../platform/stream/types.ts";
import { openWarehouse } from "../../../platform/warehouse/open-warehouse.ts";
import { countEvents } from "../enrich/decode.ts";
import { readReceipts } from "./read-receipts.ts";
import { writeReceipts } from "./write-receipts.ts";

/** As the stream counts, mostly compressed to a fifth: some 40,000 events. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** A file for each; an audit waits that much longer. */
const LINGER_MS = 10_000;
/** Of the consumers' process. */
const MEMORY_LIMIT = "128MB";

/**
 * What the stream "events" holds, to small files of ids and places, for the audit. Reads the stream by itself, beside the
 * enrichment: what that one loses is found by comparing. A range always makes the same files, so nothing stands there twice.
 */
export function createReceiptsConsumer(ctx: Pick<Context, "config" | "log">): ConsumerOptions<null> {
  const lake = createLake(ctx.config.LIVORA_LAKE);
  const deps = { lake, warehouse: openWarehouse(lake, { name: "receipts", memoryLimit: MEMORY_LIMIT }) };
  return {
    stream: ctx.config.LIVORA_STREAM_EVENTS,
    name: RECEIPTS_CONSUMER,
    async handle({ shard, entries }) {
      const [first, last] = [entries[0]?.sequence, entries.at(-1)?.sequence];
      if (first === undefined || last === undefined) return null;
      await writeReceipts(deps, { shard, first, last }, readReceipts(entries));
      return null;
    },
    countEvents,
    maxBatchBytes: MAX_BATCH_BYTES,
    lingerMs: LINGER_MS,
    exactRanges: true,
    mergeStates: () => null,
  };
}
