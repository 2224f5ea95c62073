import { randomUUID } from "node:crypto";
import { appendFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { and, eq, isNull } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createLakeConsumer } from "../../analytics/stream/lake/consumer.ts";
import type { CompactionTarget } from "../../core/contracts/lake.ts";
import { partitionOf } from "../../core/lake.ts";
import { HOUR_MS } from "../../core/time.ts";
import { createTestContext } from "../../test/support/context.ts";
import { type EnrichedOptions, makeEnriched, sequenceOf, toEntry } from "../../test/support/enriched-events.ts";
import { countLake, queryLake, readLakeIds, readLakeRows } from "../../test/support/lake-reader.ts";
import type { Context } from "../context.ts";
import { droppedEvents, lakeFiles } from "../postgres/schema.ts";
import { createWarehouse, type Warehouse } from "../warehouse/duckdb.ts";
import { planCompaction } from "./compaction-book.ts";
import type { ShardProgress } from "./compaction-inputs.ts";
import { type CompactionDeps, type CompactionStep, compactPartition } from "./compact.ts";
import { createLake, type Lake } from "./lake.ts";

const SHARD = "shardId-000000000005";
const HOUR = Date.parse("2026-11-20T08:00:00.000Z");
const STEPS: CompactionStep[] = ["planned", "journalled", "merged", "dropped", "published", "removed", "booked"];
let ctx: Context;
let lake: Lake;
let warehouse: Warehouse;
let clientId: string;
let target: CompactionTarget;

beforeAll(() => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());
beforeEach(async () => {
  lake = createLake(await mkdtemp(join(tmpdir(), "livora-lake-")));
  warehouse = createWarehouse({ memoryLimit: "256MB", threads: 1, tempFolder: join(lake.root, "_tmp/spill") });
  clientId = `compact-${randomUUID()}`;
  target = { client_id: clientId, partition: partitionOf(clientId, HOUR).path };
});
afterEach(async () => {
  await warehouse.close();
  await rm(lake.root, { recursive: true, force: true });
});

/** Files of `size` events each, as the consumer writes them; file `i` has the places from `i * 1000`. */
async function fill(files: number, size: number, change: (number: number) => Partial<EnrichedOptions> = () => ({})) {
  const consumer = createLakeConsumer({ ...ctx, config: { ...ctx.config, LIVORA_LAKE: lake.root } });
  for (let file = 0; file < files; file++) {
    const entries = Array.from({ length: size }, (_, i) => {
      const number = file * 1_000 + i;
      // Backwards in time, so that sorting has something to do.
      return toEntry(
        makeEnriched({
          clientId,
          number,
          sourceShard: clientId,
          timestampMs: HOUR + 3_500_000 - number,
          ...change(number),
        }),
        number,
      );
    });
    await consumer.handle({ shard: SHARD, entries, state: undefined, signal: new AbortController().signal });
  }
}

function deps(overrides: Partial<CompactionDeps> = {}): CompactionDeps {
  const progress: ShardProgress = { checkpoint: sequenceOf(9_999_999), ended: false };
  const readProgress = () => Promise.resolve(new Map([[SHARD, progress]]));
  return { ctx, lake, warehouse, readProgress, writtenBeforeMs: Date.now() + 1_000, onStep: () => {}, ...overrides };
}

function dieAt(step: CompactionStep): Partial<CompactionDeps> {
  return {
    onStep(reached) {
      if (reached === step) throw new Error(`died at ${step}`);
    },
  };
}

async function names(): Promise<string[]> {
  return (await readdir(lake.absolute(target.partition))).toSorted();
}

async function liveBook() {
  const mine = and(eq(lakeFiles.client_id, clientId), isNull(lakeFiles.compacted_into));
  return ctx.db.select().from(lakeFiles).where(mine);
}

const twice = (number: number) =>
  number % 1_000 < 5
    ? { event: { event_id: `id-${number % 1_000}` }, enrichment: { event_id: `id-${number % 1_000}` } }
    : {};

describe("compactPartition", () => {
  it("makes one file of many, in order of time, with every row as it was", async () => {
    await fill(4, 50);
    const rows = await readLakeRows(lake.root);
    const counts = await compactPartition(deps(), target);
    expect(counts).toEqual({ partitions: 1, merged: 4, written: 1, duplicates: 0, failed: 0 });
    expect(await readLakeRows(lake.root)).toEqual(rows);
    const [name, ...more] = await names();
    expect(more).toEqual([]);
    expect(await liveBook()).toMatchObject([{ path: `${target.partition}/${name}`, rows: 200 }]);
    const times = await queryLake(lake.root, "SELECT epoch_us(timestamp) AS t FROM events");
    expect(times.map((row) => Number(row["t"]))).toEqual(
      times.map((row) => Number(row["t"])).toSorted((a, b) => a - b),
    );
  });

  it("is done with once there is one file", async () => {
    await fill(2, 10);
    await compactPartition(deps(), target);
    const before = await names();
    expect(await compactPartition(deps(), target)).toMatchObject({ merged: 0, written: 0 });
    expect(await names()).toEqual(before);
  });

  it("keeps the first of an event that came twice, and says which it dropped", async () => {
    await fill(3, 20, twice);
    const counts = await compactPartition(deps(), target);
    expect(counts).toMatchObject({ merged: 3, written: 1, duplicates: 10 });
    expect(await countLake(lake.root)).toEqual({ rows: 50, ids: 50 });
    const kept = await queryLake(lake.root, "SELECT source_sequence AS s FROM events WHERE event_id LIKE 'id-%'");
    expect(kept.map((row) => row["s"])).toEqual(Array.from({ length: 5 }, () => sequenceOf(0)));
    const dropped = await ctx.db.select().from(droppedEvents).where(eq(droppedEvents.client_id, clientId));
    expect(dropped).toHaveLength(10);
    expect(dropped.every((row) => row.reason === "duplicate_in_partition" && row.stage === "lake")).toBe(true);
    expect(new Set(dropped.map((row) => row.source_sequence))).toEqual(new Set([sequenceOf(100), sequenceOf(200)]));
  });

  it("removes exact copies without calling them dropped", async () => {
    await fill(2, 10, (number) => ({ number: number % 1_000 }));
    expect(await compactPartition(deps(), target)).toMatchObject({ duplicates: 10 });
    expect(await countLake(lake.root)).toEqual({ rows: 10, ids: 10 });
    expect(await ctx.db.select().from(droppedEvents).where(eq(droppedEvents.client_id, clientId))).toEqual([]);
  });

  it("leaves alone what the consumer may write again, or has just written", async () => {
    await fill(3, 10);
    const behindSecond: ShardProgress = { checkpoint: sequenceOf(150), ended: false };
    const readProgress = () => Promise.resolve(new Map([[SHARD, behindSecond]]));
    const before = await names();
    expect(await compactPartition(deps({ writtenBeforeMs: 0 }), target)).toMatchObject({ merged: 0 });
    expect(await compactPartition(deps({ readProgress: () => Promise.resolve(new Map()) }), target)).toMatchObject({
      merged: 0,
    });
    expect(await names()).toEqual(before);
    expect(await compactPartition(deps({ readProgress }), target)).toMatchObject({ merged: 2 });
    expect(await names()).toContain(before[2]);
    expect(await countLake(lake.root)).toEqual({ rows: 30, ids: 30 });
  });

  it.each(STEPS)(
    "is finished by the next run after it died when %s, and shows every event once in between",
    async (step) => {
      await fill(3, 30, (number) =>
        number === 1_000 ? { event: { event_id: "again" }, enrichment: { event_id: "again" } } : {},
      );
      const ids = await readLakeIds(lake.root);
      await expect(compactPartition(deps(dieAt(step)), target)).rejects.toThrow(`died at ${step}`);
      expect(await readLakeIds(lake.root)).toEqual(ids);
      await compactPartition(deps(), target);
      expect(await readLakeIds(lake.root)).toEqual(ids);
      expect(await names()).toHaveLength(1);
      expect(await liveBook()).toMatchObject([{ rows: 90 }]);
      expect(await readdir(join(lake.root, "_tmp"))).toEqual([]);
    },
  );

  it("is finished after it died between two removals", async () => {
    await fill(3, 10);
    await expect(compactPartition(deps(dieAt("published")), target)).rejects.toThrow("died");
    const input = (await names()).find((name) => name.startsWith(SHARD)) ?? "";
    await rm(lake.absolute(`${target.partition}/${input}`));
    expect(await countLake(lake.root)).toEqual({ rows: 30, ids: 30 });
    await compactPartition(deps(), target);
    expect(await countLake(lake.root)).toEqual({ rows: 30, ids: 30 });
  });

  it("makes the same file, byte for byte, where the merge has to be done again", async () => {
    await fill(3, 30);
    await expect(compactPartition(deps(dieAt("published")), target)).rejects.toThrow("died");
    const merged = (await names()).find((name) => name.startsWith("compacted_")) ?? "";
    const path = lake.absolute(`${target.partition}/${merged}`);
    const bytes = await readFile(path);
    await rm(path);
    await compactPartition(deps(), target);
    expect(await readFile(path)).toEqual(bytes);
  });

  it("shows every event once to readers while it goes on", async () => {
    await fill(6, 200);
    const state = { done: false };
    const compaction = compactPartition(deps(), target).finally(() => (state.done = true));
    const seen: unknown[] = [];
    while (!state.done) seen.push(await countLake(lake.root));
    await compaction;
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen.map((counts) => JSON.stringify(counts)))).toEqual(new Set(['{"rows":1200,"ids":1200}']));
  });

  it("does not touch anything where a file is corrupt", async () => {
    await fill(2, 10);
    const [first = ""] = await names();
    const path = lake.absolute(`${target.partition}/${first}`);
    await writeFile(path, "PAR1");
    await appendFile(path, "half a file");
    await utimes(path, 0, 0);
    const before = await names();
    await expect(compactPartition(deps(), target)).rejects.toThrow(/parquet/i);
    expect(await names()).toEqual(before);
  });

  it("refuses to work where another process is at it", async () => {
    await fill(2, 10);
    const inner = { onStep: async () => void (await compactPartition(deps(), target)) };
    await expect(compactPartition(deps(inner), target)).rejects.toMatchObject({ code: "conflict" });
  });

  it.each(["../..", "raw/events", "raw/events/client=../../dt=2026-11-20/hour=08"])("refuses %s", async (partition) => {
    await expect(compactPartition(deps(), { client_id: clientId, partition })).rejects.toMatchObject({
      code: "invalid",
    });
  });
});

describe("planCompaction", () => {
  it("names closed partitions with several small files, page by page", async () => {
    await fill(2, 5);
    await fill(2, 5, (number) => ({ timestampMs: HOUR + HOUR_MS + number, number: number + 50_000 }));
    await fill(1, 5, (number) => ({ timestampMs: HOUR + 7_200_000 + number, number: number + 90_000 }));
    const found: CompactionTarget[] = [];
    let after: CompactionTarget | undefined = { client_id: clientId, partition: "" };
    while (after !== undefined) {
      const page = await planCompaction(ctx.db, { after, limit: 1, closedBeforeMs: HOUR + HOUR_MS });
      found.push(...page.targets.filter((one) => one.client_id === clientId));
      after = page.next?.client_id === clientId ? page.next : undefined;
    }
    expect(found).toEqual([target]);
  });
});
