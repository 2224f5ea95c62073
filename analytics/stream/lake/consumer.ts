import { LAKE_CONSUMER } from "../../../core/contracts/lake.ts";
import { readEnrichment } from "../../../core/enriched-event.ts";
import { mergeFences } from "../../../core/fence.ts";
import { type FileRange, rangeFileName } from "../../../core/lake.ts";
import type { Context } from "../../../platform/context.ts";
import { type DeadLetter, writeDeadLetters } from "../../../platform/dead-letters.ts";
import { createLake, type Lake } from "../../../platform/lake/lake.ts";
import type { ConsumerOptions, StreamBatch } from "../../../platform/stream/types.ts";
import type { Warehouse } from "../../../platform/warehouse/duckdb.ts";
import { openWarehouse } from "../../../platform/warehouse/open-warehouse.ts";
import { bookFiles } from "./book.ts";
import { type LakeState, type RejectedEntry, selectRows } from "./select-rows.ts";
import { settleStale } from "./stale-files.ts";
import { writeFiles } from "./write-files.ts";

const STAGE = "lake";
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
const LINGER_MS = 2_000;
/** Of the consumers' process; what a batch needs beyond it goes to disk. */
const MEMORY_LIMIT = "256MB";

interface LakeDeps {
  ctx: Pick<Context, "db" | "log">;
  lake: Lake;
  warehouse: Warehouse;
}

/**
 * Enriched events to Parquet. A batch becomes one file for each client and hour, named after the range of the stream it was
 * made from; the host gives exactly that range again after a crash, so the files are replaced by themselves.
 */
export function createLakeConsumer(ctx: Pick<Context, "config" | "db" | "log">): ConsumerOptions<LakeState> {
  const lake = createLake(ctx.config.LIVORA_LAKE);
  const warehouse = openWarehouse(lake, { name: "consumer", memoryLimit: MEMORY_LIMIT });
  const deps: LakeDeps = { ctx, lake, warehouse };
  return {
    stream: ctx.config.LIVORA_STREAM_ENRICHED,
    name: LAKE_CONSUMER,
    handle: (batch) => handleBatch(deps, batch),
    countEvents: () => 1,
    maxBatchBytes: MAX_BATCH_BYTES,
    lingerMs: LINGER_MS,
    exactRanges: true,
    mergeStates: (states) => ({ fences: mergeFences(states.map((state) => state.fences)) }),
  };
}

async function handleBatch(deps: LakeDeps, batch: StreamBatch<LakeState>): Promise<LakeState> {
  const { rows, rejected, repeated, state } = selectRows(batch.entries, batch.state);
  const range = rangeOf(batch);
  if (range === undefined) return state;
  const written = await writeFiles(deps, (clientId) => rangeFileName(clientId, range), rows, batch.signal);
  await writeDeadLetters(deps.ctx.db, toDeadLetters(batch.shard, [...rejected, ...written.rejected]));
  await settleStale(deps, await bookFiles(deps.ctx.db, written.files));
  const bad = rejected.length + written.rejected.length;
  const counts = { rows: rows.length, files: written.files.length, repeated, rejected: bad };
  deps.ctx.log.debug({ shard: batch.shard, ...counts }, "lake batch");
  return state;
}

/** With what was found out about the event where that can be read, and under its own place: then it can go back to the lake. */
function toDeadLetters(shard: string, rejected: readonly RejectedEntry[]): DeadLetter[] {
  return rejected.map(({ entry, ...letter }) => {
    const read = readEnrichment(entry.data);
    const common = { ...letter, stage: STAGE, attempts: 1 };
    if (read === null) {
      const source = { shard, sequence: entry.sequence, index: entry.index };
      return { ...common, payload: entry.data, source };
    }
    const { enrichment, raw: payload } = read;
    return { ...common, payload, source: enrichment.source, enrichment };
  });
}

function rangeOf(batch: StreamBatch<LakeState>): FileRange | undefined {
  const first = batch.entries[0]?.sequence;
  const last = batch.entries.at(-1)?.sequence;
  return first === undefined || last === undefined ? undefined : { shard: batch.shard, first, last };
}
