import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { createCopy } from "./copy.ts";
import { isLeftOut, isWithin } from "./places.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "livora-copy-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const source = (path: string) => join(folder, "source", path);
const target = (path: string) => join(folder, "target", path);

function write(path: string, text: string, agoMs = 60_000): void {
  mkdirSync(join(source(path), ".."), { recursive: true });
  writeFileSync(source(path), text);
  const at = new Date(Date.now() - agoMs);
  utimesSync(source(path), at, at);
}

it("a later pass takes over what is new or changed, and drops what has gone", () => {
  write("kept", "1");
  write("changed", "1");
  write("gone/file", "1");
  mkdirSync(source("empty"));
  const copy = createCopy([{ folder: join(folder, "source"), name: "" }], join(folder, "target"));
  copy.pass();
  // Would come back were it copied again.
  renameSync(target("kept"), join(folder, "moved"));
  write("changed", "2", 50_000);
  write("new", "2");
  rmSync(source("gone"), { recursive: true });
  const contents = copy.pass();
  expect(contents.files.toSorted()).toEqual(["changed", "kept", "new"]);
  expect(contents.folders).toContain("empty");
  expect(readFileSync(target("changed"), "utf8")).toBe("2");
  expect(readFileSync(target("new"), "utf8")).toBe("2");
  expect([existsSync(target("kept")), existsSync(target("gone/file"))]).toEqual([false, false]);
});

it("what was written a moment ago is copied once more, though it looks the same", () => {
  write("log", "1", 0);
  const copy = createCopy([{ folder: join(folder, "source"), name: "" }], join(folder, "target"));
  copy.pass();
  rmSync(target("log"));
  copy.pass();
  expect(readFileSync(target("log"), "utf8")).toBe("1");
});

it("a place that lies elsewhere is copied under its name", () => {
  write("raw/file", "1");
  createCopy([{ folder: join(folder, "source"), name: "lake" }], join(folder, "target")).pass();
  expect(readFileSync(target("lake/raw/file"), "utf8")).toBe("1");
});

it("leaves out what belongs to the processes, and none of the data", () => {
  const out = [
    "logs",
    "lock.json",
    "redis/pid.json",
    "postgres/data/postmaster.pid",
    "temporal/temporal.db-shm",
    "lake/_tmp",
  ];
  const data = [
    "demo-key",
    "restored.json",
    "postgres/data/PG_VERSION",
    "temporal/temporal.db-wal",
    "lake/raw",
    "kinesis/data/000003.log",
  ];
  expect(out.filter((path) => !isLeftOut(path))).toEqual([]);
  expect(data.filter(isLeftOut)).toEqual([]);
});

it("tells what lies within a folder", () => {
  expect([isWithin("/a", "/a"), isWithin("/a", "/a/b"), isWithin("/a", "/ab"), isWithin("/a/b", "/a")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
