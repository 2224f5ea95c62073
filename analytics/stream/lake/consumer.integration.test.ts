import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { eq, like } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { clientFolder } from "../../../core/lake.ts";
import type { Context } from "../../../platform/context.ts";
import { deadLetters, lakeFiles } from "../../../platform/postgres/schema.ts";
import type { ConsumerOptions, StreamBatch, StreamEntry } from "../../../platform/stream/types.ts";
import { createTestContext } from "../../../test/support/context.ts";
import { makeEnriched, toEntry } from "../../../test/support/enriched-events.ts";
import { createWarehouse, quoteList } from "../../../platform/warehouse/duckdb.ts";
import { countLake, readLakeIds } from "../../../test/support/lake-reader.ts";
import { createLakeConsumer } from "./consumer.ts";
import type { LakeState } from "./select-rows.ts";

const SHARD = "shardId-000000000003";
const START = Date.parse("2026-11-21T09:30:00.000Z");
let lake: string;
let clientId: string;
let ctx: Context;
let consumer: ConsumerOptions<LakeState>;

beforeAll(() => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());
beforeEach(async () => {
  lake = await mkdtemp(join(tmpdir(), "livora-lake-"));
  clientId = `lake-${randomUUID()}`;
  consumer = createLakeConsumer({ ...ctx, config: { ...ctx.config, LIVORA_LAKE: lake } });
});
afterEach(() => rm(lake, { recursive: true, force: true }));

function makeEntries(from: number, to: number, stepMs = 100): StreamEntry[] {
  return Array.from({ length: to - from }, (_, i) => {
    const number = from + i;
    return toEntry(makeEnriched({ clientId, number, timestampMs: START + number * stepMs }), number);
  });
}

function batchOf(entries: StreamEntry[], state?: LakeState): StreamBatch<LakeState> {
  return { shard: SHARD, entries, state, signal: new AbortController().signal };
}

function idOf(entry: StreamEntry): string {
  return String(JSON.parse(entry.data.toString("utf8", 0, entry.data.indexOf("\n"))).event_id);
}

async function snapshot(): Promise<Record<string, string>> {
  const found = await readdir(lake, { recursive: true, withFileTypes: true });
  const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(paths.map((path) => readFile(path, "base64")));
  return Object.fromEntries(paths.map((path, i) => [path, contents[i] ?? ""]));
}

async function readBook() {
  return ctx.db.select().from(lakeFiles).where(eq(lakeFiles.client_id, clientId)).orderBy(lakeFiles.path);
}

describe("the lake's consumer", () => {
  it("keeps 100,000 events to the last, each once, and books every file", async () => {
    const expected: string[] = [];
    let state: LakeState | undefined;
    for (let start = 0; start < 100_000; start += 12_500) {
      const entries = makeEntries(start, start + 12_500);
      expected.push(...entries.map(idOf));
      state = await consumer.handle(batchOf(entries, state));
    }
    expect(await readLakeIds(lake, clientId)).toEqual(expected.toSorted());
    expect(await countLake(lake)).toEqual({ rows: 100_000, ids: 100_000 });
    const book = await readBook();
    expect(book.reduce((sum, file) => sum + file.rows, 0)).toBe(100_000);
    expect(new Set(book.map((file) => file.partition)).size).toBe(4);
    expect(book.every((file) => file.path.startsWith(`${clientFolder(clientId)}/`))).toBe(true);
    expect(await listCodecs(book.map((file) => join(lake, file.path)))).toEqual([["SNAPPY"]]);
  });

  it("makes the same files when a batch comes again, and books them once", async () => {
    const entries = makeEntries(0, 3_000, 2_000);
    const state = await consumer.handle(batchOf(entries));
    const [files, book] = [await snapshot(), await readBook()];
    expect(await consumer.handle(batchOf(entries))).toEqual(state);
    expect(await snapshot()).toEqual(files);
    expect(await readBook()).toEqual(book);
    expect(book.length).toBeGreaterThan(1);
  });

  it("is whole again after it died between two files", async () => {
    const entries = makeEntries(0, 200, 1_800_000);
    const controller = new AbortController();
    const dying = consumer.handle({ ...batchOf(entries), signal: controller.signal });
    await waitForFile();
    controller.abort();
    await expect(dying).rejects.toThrow("abort");
    await consumer.handle(batchOf(entries));
    expect(await countLake(lake)).toEqual({ rows: 200, ids: 200 });
  });

  it("leaves out what a crashed producer put on the stream twice", async () => {
    const first = makeEntries(0, 500);
    const state = await consumer.handle(batchOf(first));
    const again = makeEntries(300, 900).map((entry, i) => ({ ...entry, ...placeOf(600 + i) }));
    const after = await consumer.handle(batchOf(again, state));
    expect(await countLake(lake)).toEqual({ rows: 900, ids: 900 });
    expect(
      await consumer.handle(
        batchOf(
          again.map((entry, i) => ({ ...entry, ...placeOf(1_300 + i) })),
          after,
        ),
      ),
    ).toEqual(after);
    expect(await countLake(lake)).toEqual({ rows: 900, ids: 900 });
  });

  it("sends an entry that makes no row to the dead letters, once, and goes on", async () => {
    const shard = `shardId-${clientId}`;
    const [good, other] = [0, 1].map((number) =>
      toEntry(makeEnriched({ clientId, number, timestampMs: START, sourceShard: `source-${clientId}` }), number),
    ) as [StreamEntry, StreamEntry];
    const headerLine = other.data.subarray(0, other.data.indexOf("\n") + 1);
    const broken = { ...other, data: Buffer.concat([headerLine, Buffer.from("{nonsense")]) };
    const noise = { ...placeOf(5), data: Buffer.from([0xff, 0x00, 0x0a]), arrivedAtMs: 0 };
    // Under its own place in "events" it is one, also where the enricher has put it on the stream twice.
    const again = { ...broken, ...placeOf(2) };
    for (const batch of [[good, broken, noise], [good, broken, noise], [again]]) {
      await consumer.handle({ ...batchOf(batch), shard });
    }
    expect(await readLakeIds(lake)).toEqual([idOf(good)]);
    const letters = await ctx.db
      .select()
      .from(deadLetters)
      .where(like(deadLetters.source_shard, `%${clientId}`));
    expect(letters.toSorted((a, b) => a.source_index - b.source_index)).toMatchObject([
      {
        stage: "lake",
        client_id: clientId,
        event_id: idOf(other),
        payload: Buffer.from("{nonsense"),
        source_shard: `source-${clientId}`,
        source_index: 1,
        enrichment: { event_id: idOf(other), source: { index: 1 } },
      },
      { stage: "lake", client_id: null, payload: noise.data, source_shard: shard, source_index: 5, enrichment: null },
    ]);
  });

  it("takes back a file that a compaction has long since merged, and merged again", async () => {
    const entries = makeEntries(0, 10);
    await consumer.handle(batchOf(entries));
    const [file] = await readBook();
    const [merged, mergedAgain] = ["a", "b"].map((name) => `${file!.partition}/compacted_${name}.parquet`);
    await rename(join(lake, file!.path), join(lake, mergedAgain!));
    const size = { client_id: clientId, partition: file!.partition, rows: 10, bytes: file!.bytes };
    await ctx.db.update(lakeFiles).set({ compacted_into: merged! }).where(eq(lakeFiles.path, file!.path));
    await ctx.db.insert(lakeFiles).values({ ...size, path: merged!, compacted_into: mergedAgain! });
    await ctx.db.insert(lakeFiles).values({ ...size, path: mergedAgain! });
    await consumer.handle(batchOf(entries));
    expect(await countLake(lake)).toEqual({ rows: 10, ids: 10 });
  });

  it("keeps a file whose merged one is gone, and puts the book right", async () => {
    const entries = makeEntries(0, 10);
    await consumer.handle(batchOf(entries));
    await ctx.db.update(lakeFiles).set({ compacted_into: "raw/gone" }).where(eq(lakeFiles.client_id, clientId));
    await consumer.handle(batchOf(entries));
    expect(await countLake(lake)).toEqual({ rows: 10, ids: 10 });
    expect(await readBook()).toMatchObject([{ compacted_into: null }]);
  });

  it("does nothing for a batch without entries", async () => {
    const state: LakeState = { fences: { 3: "1:0" } };
    expect(await consumer.handle(batchOf([], state))).toEqual(state);
    expect(await snapshot()).toEqual({});
  });
});

function placeOf(number: number): Pick<StreamEntry, "sequence" | "index"> {
  const { sequence, index } = toEntry(Buffer.alloc(0), number);
  return { sequence, index };
}

async function listCodecs(paths: readonly string[]): Promise<unknown> {
  const warehouse = createWarehouse({ memoryLimit: "256MB", threads: 1, tempFolder: join(lake, "_tmp/spill") });
  const sql = `SELECT DISTINCT compression FROM parquet_metadata(${quoteList(paths)})`;
  const found = await warehouse.use((connection) => connection.runAndReadAll(sql));
  await warehouse.close();
  return found.getRowsJson();
}

async function waitForFile(): Promise<void> {
  while ((await countLake(lake)).rows === 0) await new Promise((done) => setTimeout(done, 1));
}
