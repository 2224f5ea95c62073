import { beforeEach, describe, expect, it } from "vitest";

import {
  COMPACTION_WORKFLOW,
  type CompactionCounts,
  type CompactionTarget,
  LAKE_TASK_QUEUE,
  type LakeActivities,
  NO_COUNTS,
} from "../../core/contracts/lake.ts";
import { recordHistory } from "../../test/support/history.ts";
import { useWorker } from "../../test/support/workflow-worker.ts";

/** The partitions there are, and which were compacted in what order. */
let partitions: CompactionTarget[];
let compacted: string[];
let sweeps: number;
let failures: number;

const activities: LakeActivities = {
  planCompaction({ after, limit }) {
    const start = after === undefined ? 0 : partitions.findIndex((one) => one.partition === after.partition) + 1;
    const targets = partitions.slice(start, start + limit);
    const next = start + limit < partitions.length ? (targets.at(-1) ?? null) : null;
    return Promise.resolve({ targets, next });
  },
  compactPartitions({ targets }): Promise<CompactionCounts> {
    if (failures-- > 0) return Promise.reject(new Error("PostgreSQL is away"));
    compacted.push(...targets.map((one) => one.partition));
    return Promise.resolve({
      ...NO_COUNTS,
      partitions: targets.length,
      merged: 2 * targets.length,
      written: targets.length,
    });
  },
  sweepLake: () => Promise.resolve(++sweeps),
};

const worker = useWorker({ taskQueue: LAKE_TASK_QUEUE, workflows: "lake.ts", activities });
beforeEach(() => {
  [compacted, sweeps, failures] = [[], 0, 0];
});

function makePartitions(count: number): CompactionTarget[] {
  return Array.from({ length: count }, (_, i) => ({ client_id: "demo", partition: `partition-${i}` }));
}

const start = () => worker.start(COMPACTION_WORKFLOW, {});

describe("compactLake", () => {
  it("takes every partition once, in order, and sweeps at the end", async () => {
    partitions = makePartitions(45);
    const handle = await start();
    const counts = await handle.result();
    await recordHistory("lake-pages", handle);
    expect(compacted).toEqual(partitions.map((one) => one.partition));
    expect(counts).toEqual({ partitions: 45, merged: 90, written: 45, duplicates: 0, failed: 0 });
    expect(sweeps).toBe(1);
  });

  it("has nothing to do in a lake without small files", async () => {
    partitions = [];
    expect(await (await start()).result()).toEqual(NO_COUNTS);
    expect(compacted).toEqual([]);
  });

  it("goes on after an outage of half an hour", async () => {
    partitions = makePartitions(3);
    failures = 35;
    expect(await (await start()).result()).toMatchObject({ partitions: 3 });
    expect(compacted).toHaveLength(3);
  });

  it("goes on in a new execution before its history grows long, and loses no count", async () => {
    partitions = makePartitions(20 * 120);
    const handle = await start();
    const counts = await handle.result();
    expect(counts).toMatchObject({ partitions: 2_400 });
    expect(new Set(compacted).size).toBe(2_400);
    const last = await handle.describe();
    expect(last.runId).not.toBe(handle.firstExecutionRunId);
    expect(last.historyLength).toBeLessThan(1_100);
  });
});
