import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { rangeFileName } from "../../../core/lake.ts";
import { HOUR_MS } from "../../../core/time.ts";
import { createLake, type Lake } from "../../../platform/lake/lake.ts";
import { createWarehouse, type Warehouse } from "../../../platform/warehouse/duckdb.ts";
import { makeEnriched, toEntry } from "../../../test/support/enriched-events.ts";
import { countLake, queryLake, readLakeRows } from "../../../test/support/lake-reader.ts";
import { selectRows } from "./select-rows.ts";
import { writeFiles } from "./write-files.ts";

const nameFor = (clientId: string) =>
  rangeFileName(clientId, { shard: "shardId-000000000001", first: "41", last: "49" });
const NOON = Date.parse("2026-11-21T12:00:00.000Z");
let lake: Lake;
let warehouse: Warehouse;

beforeEach(async () => {
  lake = createLake(await mkdtemp(join(tmpdir(), "livora-lake-")));
  warehouse = createWarehouse({ memoryLimit: "256MB", threads: 1, tempFolder: join(lake.root, "_tmp/spill") });
});
afterEach(async () => {
  await warehouse.close();
  await rm(lake.root, { recursive: true, force: true });
});

function rowsOf(...data: Buffer[]) {
  return selectRows(
    data.map((bytes, i) => toEntry(bytes, i)),
    undefined,
  ).rows;
}

function withRaw(raw: string | Buffer, number: number): Buffer {
  const enriched = makeEnriched({ clientId: "demo", number, timestampMs: NOON });
  return Buffer.concat([enriched.subarray(0, enriched.indexOf("\n") + 1), Buffer.from(raw)]);
}

async function snapshot(): Promise<Record<string, string>> {
  const names = await readdir(lake.root, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map((file) => readFile(file, "base64")));
  return Object.fromEntries(files.map((file, i) => [file, contents[i] ?? ""]));
}

describe("writeFiles", () => {
  it("keeps the event as received and everything that was found out about it", async () => {
    const raw =
      '{ "event_id":"x", "user_id": "u\\u0000é", "props": {"price": 1.50, "big": 12345678901234567890}, "z": 1 }';
    await writeFiles({ lake, warehouse }, nameFor, rowsOf(withRaw(raw, 4)));
    const [row] = await readLakeRows(lake.root, "demo");
    expect(row).toMatchObject({
      raw,
      user_id: "u\0é",
      props: '{"price":1.5,"big":12345678901234567890}',
      context: null,
      timestamp: "2026-11-21 12:00:00",
      person_key: "anon:device|4",
      session_source: "direct",
      country: "IN",
      device: "mobile",
      is_bot: false,
      utm_campaign: "diwali",
      utm_term: null,
      source_shard: "shardId-000000000000",
      source_index: 4,
    });
  });

  it("makes one file for each client and hour, snappy throughout", async () => {
    const places = [
      ["demo", 0],
      ["demo", 1],
      ["shop", 0],
      ["demo", 0],
    ] as const;
    const rows = rowsOf(
      ...places.map(([clientId, at], number) => makeEnriched({ clientId, number, timestampMs: NOON + at * HOUR_MS })),
    );
    const { files } = await writeFiles({ lake, warehouse }, nameFor, rows);
    expect(files.map((file) => [file.partition.path, file.rows])).toEqual([
      ["raw/events/client=demo/dt=2026-11-21/hour=12", 2],
      ["raw/events/client=demo/dt=2026-11-21/hour=13", 1],
      ["raw/events/client=shop/dt=2026-11-21/hour=12", 1],
    ]);
    const path = lake.absolute(files[0]?.path ?? "");
    const codecs = await warehouse.use((connection) =>
      connection.runAndReadAll("SELECT DISTINCT compression FROM parquet_metadata($1)", [path]),
    );
    expect(codecs.getRowsJson()).toEqual([["SNAPPY"]]);
  });

  it("writes the same bytes again for the same rows, and nothing beside them", async () => {
    const events = Array.from({ length: 5_000 }, (_, number) =>
      makeEnriched({ clientId: "demo", number, timestampMs: NOON + number * 1_000 }),
    );
    await writeFiles({ lake, warehouse }, nameFor, rowsOf(...events));
    const first = await snapshot();
    await writeFiles({ lake, warehouse }, nameFor, rowsOf(...events));
    expect(await snapshot()).toEqual(first);
    expect(await countLake(lake.root)).toEqual({ rows: 5_000, ids: 5_000 });
  });

  it("takes a batch that touches more hours than files are open at once", async () => {
    const data = Array.from({ length: 300 }, (_, number) =>
      makeEnriched({ clientId: "demo", number, timestampMs: NOON - (number % 100) * HOUR_MS }),
    );
    const { files } = await writeFiles({ lake, warehouse }, nameFor, rowsOf(...data));
    expect(files.map((file) => file.rows)).toEqual(Array.from({ length: 100 }, () => 3));
    expect(await countLake(lake.root)).toEqual({ rows: 300, ids: 300 });
    expect(await readdir(join(lake.root, "_tmp"))).toEqual([]);
  });

  it("sets aside what SQL cannot read, and keeps the rest", async () => {
    const { files, rejected } = await writeFiles(
      { lake, warehouse },
      nameFor,
      rowsOf(withRaw("{}", 1), withRaw("{nonsense", 2), withRaw("{}", 3)),
    );
    expect(rejected).toMatchObject([{ clientId: "demo", reason: expect.stringMatching(/Malformed JSON [^{]*$/) }]);
    expect(files.map((file) => file.rows)).toEqual([2]);
    expect((await readLakeRows(lake.root)).map((row) => row["source_index"])).toEqual([1, 3]);
  });

  it("finds the bad ones among many", async () => {
    const bad = new Set([0, 77, 78, 1_999]);
    const data = Array.from({ length: 2_000 }, (_, number) => withRaw(bad.has(number) ? '{"a' : "{}", number));
    const { rejected } = await writeFiles({ lake, warehouse }, nameFor, rowsOf(...data));
    expect(rejected.map(({ entry }) => entry.data)).toEqual([...bad].map((number) => data[number]));
    expect((await countLake(lake.root)).rows).toBe(1_996);
  });

  it("does not take trouble with the disk for a bad row", async () => {
    const broken: Lake = { ...lake, publish: () => Promise.reject(new Error("disk full")) };
    await expect(writeFiles({ lake: broken, warehouse }, nameFor, rowsOf(withRaw("{}", 1)))).rejects.toThrow(
      "disk full",
    );
    expect(await countLake(lake.root)).toEqual({ rows: 0, ids: 0 });
  });

  it.each([
    ["half a surrogate pair", String.raw`{"props":{"a":"\ud800"},"user_id":"\uDC00x"}`],
    ["a key named twice", '{"user_id":"first","user_id":"\ufffdx"}'],
    ["an infinite number", '{"props":{"a":1e999},"user_id":"\ufffdx"}'],
    ["props that are no object", '{"props":[1],"user_id":"\ufffdx"}'],
  ])("reads %s as JavaScript does, and keeps it as received", async (_, raw) => {
    const { rejected } = await writeFiles({ lake, warehouse }, nameFor, rowsOf(withRaw(raw, 1)));
    expect(rejected).toEqual([]);
    const [row] = await queryLake(
      lake.root,
      "SELECT raw, user_id, props IS NULL OR json_valid(props) AS ok FROM events",
    );
    expect(row).toEqual({ raw, user_id: "\ufffdx", ok: true });
  });

  it("stops between two files when the shard has gone to another process", async () => {
    const rows = rowsOf(withRaw("{}", 1));
    await expect(writeFiles({ lake, warehouse }, nameFor, rows, AbortSignal.abort())).rejects.toThrow("abort");
    expect(await countLake(lake.root)).toEqual({ rows: 0, ids: 0 });
  });
});
