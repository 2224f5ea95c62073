import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { afterAll, describe, expect, it } from "vitest";

import { mappingSchema } from "../../core/backfill-mapping.ts";
import { openText } from "./read-text.ts";
import { isGzip, readDigest, unpack } from "./unpack.ts";

const folder = mkdtempSync(join(tmpdir(), "livora-read-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(data: string | Buffer): string {
  const path = join(folder, crypto.randomUUID());
  writeFileSync(path, data);
  return path;
}

function open(data: string | Buffer, format: object) {
  const parsed = mappingSchema.shape.format.parse(format);
  if (parsed.type === "parquet") throw new Error("text only");
  return openText(fileOf(data), parsed);
}

async function readAll(source: ReturnType<typeof open>, from = { offset: 0, line: 1 }) {
  const all = [];
  for await (const some of source.read(from)) all.push(...some);
  return all;
}
const shown = async (data: string | Buffer, format: object) =>
  (await readAll(open(data, format))).map(({ line, record, faults }) => [line, record?.fields ?? faults[0]?.reason]);

describe("a text file", () => {
  it("of CSV: columns by the header, a BOM is none of it, what means nothing is nothing", async () => {
    expect(await shown('\ufeffid, name\n1,"a,\nb"\n2,NULL\n', { type: "csv", nulls: ["NULL"] })).toEqual([
      [2, { id: "1", name: "a,\nb" }],
      [4, { id: "2", name: null }],
    ]);
  });

  it("in another encoding, and what is no text in it", async () => {
    const latin = Buffer.from("id;name\n1;M\u00fcller\n", "latin1");
    expect(await shown(latin, { type: "csv", delimiter: ";", encoding: "windows-1252" })).toEqual([
      [2, { id: "1", name: "M\u00fcller" }],
    ]);
    expect(await shown(latin, { type: "csv", delimiter: ";" })).toEqual([[2, "not utf-8"]]);
  });

  it("of JSON lines: each for itself", async () => {
    expect(await shown('{"a":1}\n\n{"a":\n[1]\n{"a":2}', { type: "jsonl" })).toEqual([
      [1, { a: 1 }],
      [3, "not JSON"],
      [4, "not a JSON object"],
      [5, { a: 2 }],
    ]);
  });

  it("goes on where it was left, with the header's columns", async () => {
    const source = open("a b\n1 2\n3 4\n5 6\n", { type: "whitespace", header: true });
    const all = await readAll(source);
    expect(await readAll(source, all[0]!.next)).toEqual(all.slice(1));
    expect(await source.columns()).toEqual(["a", "b"]);
  });

  it.each([
    ["", { type: "csv" }, "The file has no header: it is empty."],
    ["a,a\n", { type: "csv" }, "The header names a column twice."],
    ["a,b,c\n", { type: "csv", columns: ["a", "b"] }, "The header has 3 columns, the mapping names 2."],
  ])("%j is refused", async (data, format, message) => {
    await expect(readAll(open(data, format))).rejects.toMatchObject({ code: "invalid", message });
  });
});

const onBytes = () => undefined;

describe("a packed file", () => {
  const signal = new AbortController().signal;
  it("is what it unpacks to, and has that digest", async () => {
    const [plain, packed] = [fileOf("a\n".repeat(1_000)), fileOf(gzipSync("a\n".repeat(1_000)))];
    expect([await isGzip(plain), await isGzip(packed), await isGzip(fileOf(""))]).toEqual([false, true, false]);
    const target = join(folder, "unpacked");
    const content = await unpack(packed, target, { maxBytes: 2_000, onBytes, signal });
    expect(content).toEqual(await readDigest(plain, onBytes, signal));
    expect(await readFile(target)).toEqual(await readFile(plain));
  });

  it.each([
    ["cut off", gzipSync("a\n".repeat(1_000)).subarray(0, 25), "The file is not whole gzip."],
    ["that is none behind its first bytes", Buffer.from([0x1f, 0x8b, 1, 2, 3]), "The file is not whole gzip."],
    ["that holds too much", gzipSync("a".repeat(3_000)), "The file unpacks to more than 2000 bytes."],
  ])("%s is refused", async (_, data, message) => {
    const unpacking = unpack(fileOf(data), join(folder, "never"), { maxBytes: 2_000, onBytes, signal });
    await expect(unpacking).rejects.toMatchObject({ code: "invalid", message });
  });
});
