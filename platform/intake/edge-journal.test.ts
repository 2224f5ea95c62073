import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { EDGES_ROOT, edgeJournalFolder, edgeOfJournal, hourOf } from "../../core/audit.ts";
import { createJournalReader, type JournalEntry } from "../../core/edge-journal.ts";
import { HOUR_MS } from "../../core/time.ts";
import { createEdgeJournal } from "./edge-journal.ts";

let root: string;
const warn = vi.fn<() => void>();
beforeEach(() => {
  warn.mockReset();
  root = mkdtempSync(join(tmpdir(), "livora-edge-"));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  rmSync(root, { recursive: true });
});

function readAll(): JournalEntry[] {
  const names = readdirSync(join(root, EDGES_ROOT), { recursive: true, encoding: "utf8" }).toSorted();
  const files = names.filter((name) => edgeOfJournal(name.split("/").at(-1) ?? "") === "edge-1");
  return files.flatMap((name) => createJournalReader().read(readFileSync(join(root, EDGES_ROOT, name))));
}

test("what was noted is in the file when the answer goes out, that of many requests by one write", async () => {
  const journal = createEdgeJournal(root, "edge-1", { warn });
  const requests = Array.from({ length: 3_000 }, (_, i) => ({
    envelope: i + 1,
    eventIds: [randomUUID(), randomUUID()],
  }));
  const receivedAtMs = Date.now() - 40;
  const noted = requests.map((one, i) => journal.note(`client-${i % 3}`, receivedAtMs, [one]));
  expect(new Set(noted).size).toBe(1);
  await noted[0];
  const found = readAll();
  expect(found.map(({ envelope, eventIds }) => ({ envelope, eventIds }))).toEqual(requests);
  expect(found.map((entry) => entry.clientId)).toEqual(requests.map((_, i) => `client-${i % 3}`));
  expect(new Set(found.map((entry) => entry.receivedAtMs))).toEqual(new Set([receivedAtMs]));
  journal.close();
});

test("a new hour, a new file, in which clients are introduced again", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const beginMs = Date.parse("2026-11-21T10:59:59.990Z");
  vi.setSystemTime(beginMs);
  const journal = createEdgeJournal(root, "edge-1", { warn });
  const ids = Array.from({ length: 3 }, () => randomUUID());
  const first = journal.note("demo", beginMs, [{ envelope: 1, eventIds: [ids[0]!] }]);
  vi.setSystemTime(beginMs + 20);
  const second = journal.note("demo", beginMs, [{ envelope: 2, eventIds: ids.slice(1) }]);
  await Promise.all([first, second]);
  journal.close();
  expect(
    readAll().map((entry) => [entry.clientId, entry.acknowledgedAtMs - beginMs, entry.receivedAtMs - beginMs]),
  ).toEqual([
    ["demo", 0, 0],
    ["demo", 20, 0],
  ]);
  expect(readdirSync(join(root, edgeJournalFolder(hourOf(beginMs))))).toHaveLength(1);
  expect(readdirSync(join(root, edgeJournalFolder(hourOf(beginMs) + HOUR_MS)))).toHaveLength(1);
});

test("a disk that takes nothing holds nobody up, and is tried again", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const atMs = Date.parse("2026-11-21T10:00:00.000Z");
  vi.setSystemTime(atMs);
  // In the place of the folder.
  writeFileSync(join(root, "audit"), "");
  const journal = createEdgeJournal(root, "edge-1", { warn });
  const note = () => journal.note("demo", Date.now(), [{ envelope: 1, eventIds: [randomUUID()] }]);
  expect(note()).toBeUndefined();
  expect(note()).toBeUndefined();
  expect(warn).toHaveBeenCalledTimes(1);
  rmSync(join(root, "audit"));
  vi.setSystemTime(atMs + 11_000);
  await note();
  expect(readAll()).toHaveLength(1);
  journal.close();
});

test("a disk that is slow twice in a row is left alone; once, it may have been the processor", async () => {
  let nowMs = 0;
  let writeTakesMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (nowMs += writeTakesMs));
  const journal = createEdgeJournal(root, "edge-1", { warn });
  const note = async (takesMs: number) => {
    writeTakesMs = takesMs;
    const noted = journal.note("demo", Date.now(), [{ envelope: 1, eventIds: [randomUUID()] }]);
    await noted;
    return noted !== undefined;
  };
  const takes = [300, 10, 300, 10, 300, 300, 10];
  const noted: boolean[] = [];
  for (const takesMs of takes) noted.push(await note(takesMs));
  expect(noted).toEqual([true, true, true, true, true, true, false]);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(readAll()).toHaveLength(6);
  journal.close();
});
