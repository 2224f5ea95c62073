import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { createLakeConsumer } from "../../analytics/stream/lake/consumer.ts";
import type { LakeState } from "../../analytics/stream/lake/select-rows.ts";
import type { Config } from "../../platform/config.ts";
import { createContext } from "../../platform/context.ts";
import { compactPartition } from "../../platform/lake/compact.ts";
import { createLake } from "../../platform/lake/lake.ts";
import { createWarehouse } from "../../platform/warehouse/duckdb.ts";
import { makeEnriched, sequenceOf, toEntry } from "./enriched-events.ts";

/**
 * The lake's writer and its compaction as a process of their own, to be killed: `lake-child.ts <task.json>`. It saves how far it
 * has come after each batch, as the consumers' host does, goes on from there, and says `ready` and `done`.
 */
export interface LakeTask {
  config: Config;
  clientId: string;
  startMs: number;
  batches: number;
  batchSize: number;
  /** Where the checkpoint is kept. */
  checkpoint: string;
  compact: boolean;
}

const SHARD = "shardId-000000000009";
const task = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as LakeTask;
const ctx = createContext("lake-child", task.config);

async function write(): Promise<void> {
  const consumer = createLakeConsumer(ctx);
  for (let { batch, state } = readCheckpoint(); batch < task.batches; batch++) {
    const entries = Array.from({ length: task.batchSize }, (_, i) => {
      const number = batch * task.batchSize + i;
      const timestampMs = task.startMs + number * 1_000;
      return toEntry(
        makeEnriched({ clientId: task.clientId, sourceShard: task.clientId, number, timestampMs }),
        number,
      );
    });
    state = await consumer.handle({ shard: SHARD, entries, state, signal: new AbortController().signal });
    writeFileSync(task.checkpoint, JSON.stringify({ batch: batch + 1, state }));
  }
}

function readCheckpoint(): { batch: number; state: LakeState | undefined } {
  try {
    return JSON.parse(readFileSync(task.checkpoint, "utf8")) as { batch: number; state: LakeState };
  } catch {
    return { batch: 0, state: undefined };
  }
}

async function compact(): Promise<void> {
  const lake = createLake(task.config.LIVORA_LAKE);
  const warehouse = createWarehouse({ memoryLimit: "256MB", threads: 1, tempFolder: `${lake.root}/_tmp/spill-child` });
  const progress = new Map([[SHARD, { checkpoint: sequenceOf(9_999_999), ended: false }]]);
  const deps = { ctx, lake, warehouse, readProgress: () => Promise.resolve(progress), writtenBeforeMs: Date.now() };
  for (const { path } of await lake.listPartitions(task.clientId)) {
    const target = { client_id: task.clientId, partition: path };
    // Slow enough for the killer to hit each step.
    await compactPartition({ ...deps, onStep: () => sleep(3) }, target);
  }
}

process.stdout.write("ready\n");
await (task.compact ? compact() : write());
process.stdout.write("done\n");
process.exit(0);
