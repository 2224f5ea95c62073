import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { partitionOf } from "../../core/lake.ts";
import { journalName } from "./journal.ts";
import { createLake, type Lake } from "./lake.ts";

const PARTITION = partitionOf("demo", Date.parse("2026-11-21T10:00:00Z"));
let lake: Lake;

beforeEach(async () => {
  lake = createLake(await mkdtemp(join(tmpdir(), "livora-lake-")));
});
afterEach(async () => {
  await rm(lake.root, { recursive: true, force: true });
});

async function publishText(path: string, text: string): Promise<number> {
  const temp = await lake.tempPath();
  await writeFile(temp, text);
  return lake.publish(temp, path);
}

async function put(name: string, text = name): Promise<void> {
  const path = lake.absolute(`${PARTITION.path}/${name}`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

describe("a lake in a folder", () => {
  it("publishes a whole file, replaces it by itself, and leaves nothing in _tmp", async () => {
    const path = `${PARTITION.path}/a.parquet`;
    expect(await publishText(path, "one")).toBe(3);
    await publishText(path, "one");
    expect(await readFile(lake.absolute(path), "utf8")).toBe("one");
    expect(await readdir(join(lake.root, "_tmp"))).toEqual([]);
  });

  it.each(["../outside", "raw/../../outside", "/etc/passwd", ""])("refuses the path %j", (path) => {
    expect(() => lake.absolute(path)).toThrow("outside the lake");
  });

  it("lists the partitions of one client or of all, and nothing that is none", async () => {
    const other = partitionOf("other/../shop", Date.parse("2026-11-20T23:00:00Z"));
    await publishText(`${PARTITION.path}/a.parquet`, "a");
    await publishText(`${other.path}/a.parquet`, "a");
    await mkdir(join(lake.root, "raw/events/client=demo/dt=yesterday/hour=10"), { recursive: true });
    expect(await lake.listPartitions()).toEqual([PARTITION, other]);
    expect(await lake.listPartitions("other/../shop")).toEqual([other]);
    expect(await lake.listPartitions("nobody")).toEqual([]);
  });

  it("lists nothing in a lake that is not there yet", async () => {
    expect(await lake.listPartitions()).toEqual([]);
    expect(await lake.listFiles(PARTITION)).toEqual([]);
  });

  it("shows the inputs of a compaction until the merged file is there, and then only that", async () => {
    await put("a.parquet");
    await put("b.parquet");
    await put(journalName("demo"), JSON.stringify({ target: "merged.parquet", inputs: ["a.parquet"] }));
    expect(await lake.listFiles(PARTITION)).toEqual([`${PARTITION.path}/a.parquet`, `${PARTITION.path}/b.parquet`]);
    await put("merged.parquet");
    expect(await lake.listFiles(PARTITION)).toEqual([
      `${PARTITION.path}/b.parquet`,
      `${PARTITION.path}/merged.parquet`,
    ]);
  });

  it("reads again when a file went away between listing and reading", async () => {
    await put("a.parquet");
    let reads = 0;
    const found = await lake.withFiles(
      () => lake.listFiles(PARTITION),
      async ([path = ""]) => {
        if (reads++ === 0) await rm(path).then(() => put("b.parquet"));
        return readFile(path, "utf8");
      },
    );
    expect(found).toBe("b.parquet");
  });

  it("lets an error through that no vanished file explains", async () => {
    await put("a.parquet");
    const read = lake.withFiles(
      () => lake.listFiles(PARTITION),
      () => Promise.reject(new Error("corrupt")),
    );
    await expect(read).rejects.toThrow("corrupt");
  });

  it("sweeps from _tmp only what is old and whose process is gone", async () => {
    const own = basename(await lake.tempPath());
    const names = ["999999998-old", "999999998-young", "spill-worker-999999998", `spill-worker-${process.pid}`, own];
    await Promise.all(names.map((name) => writeFile(join(lake.root, "_tmp", name), "")));
    const old = names.filter((name) => name !== "999999998-young");
    await Promise.all(old.map((name) => utimes(join(lake.root, "_tmp", name), 0, 0)));
    expect(await lake.sweepTemp(60_000)).toBe(2);
    const left = await readdir(join(lake.root, "_tmp"));
    expect(left.toSorted()).toEqual(["999999998-young", `spill-worker-${process.pid}`, own].toSorted());
  });
});
